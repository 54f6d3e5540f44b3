/* What a fuzz target is: one function that takes any bytes as a file's content and neither crashes, leaks nor hangs. With
 * clang (preset "fuzz") libFuzzer calls it; in the ordinary tests replay.c calls it with the files of corpus/. */
#ifndef SG_FUZZ_H
#define SG_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
