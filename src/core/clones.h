/* SG_CLONES in front of a hot function: the compiler makes it once per level of x86-64 and the loader picks. With
 * contraction off (see CMakeLists.txt) every clone gives the same bits. */
#ifndef SG_CORE_CLONES_H
#define SG_CORE_CLONES_H

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) && defined(__gnu_linux__) &&     \
    !defined(SG_NO_CLONES) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SG_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SG_CLONES /* one version, for the build's own target */
#endif

#endif
