#!/bin/sh
# test.sh BUILD JOBS: runs all tests of a build, those on the real model too where it can be had.
set -eu
build=$1
jobs=$2
if ! SHORTGPT_TEST_MODEL=$(sh "$(dirname "$0")/model.sh"); then
    echo "test: the real model could not be downloaded; the tests that need it are skipped" >&2
    SHORTGPT_TEST_MODEL=
fi
export SHORTGPT_TEST_MODEL
# Tests run beside each other: threads that wait must not spin.
OMP_WAIT_POLICY=passive
export OMP_WAIT_POLICY
ctest --test-dir "$build" --output-on-failure -j "$jobs"
