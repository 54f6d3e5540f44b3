#!/bin/sh
# Installs the packages that building, testing and the demo need, where any is missing. When all are there it does nothing
# and needs no network. `deps.sh fuzz`: also what `make fuzz` needs.
set -eu

packages="libdnnl-dev libjson-c-dev libxxhash-dev libpcre2-dev libutf8proc-dev libcmocka-dev"

if ! command -v dpkg-query >/dev/null; then
    echo "deps: not Debian or Ubuntu, so nothing is installed; needed are a C compiler, cmake, pkg-config, python3 with pip" >&2
    echo "deps: and the development files of oneDNN, json-c, xxHash, PCRE2, utf8proc and cmocka" >&2
    exit 0
fi

missing=""
need() { # PACKAGE, unless the command given behind it works
    package=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $package"
}
installed() {
    test "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed
}
need gcc cc --version
need libc6-dev installed libc6-dev
need make make --version
need cmake cmake --version
need pkg-config pkg-config --version
need python3 python3 --version
need python3-pip python3 -m pip --version
for package in $packages; do
    need "$package" installed "$package"
done
if [ "${1-}" = fuzz ]; then
    can_fuzz() {
        echo 'int LLVMFuzzerTestOneInput(const char *s, unsigned long n); int LLVMFuzzerTestOneInput(const char *s, unsigned long n) { return !s && n; }' |
            clang -fsanitize=fuzzer,address -fopenmp -o /dev/null -x c -
    }
    need "clang libclang-rt-dev libomp-dev" can_fuzz
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    echo "deps: packages are missing; run this line, then try again:" >&2
    echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi
echo "deps: installing$missing"
$sudo env DEBIAN_FRONTEND=noninteractive apt-get update -q
# shellcheck disable=SC2086 # a list of words
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
