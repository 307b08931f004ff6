#!/bin/sh
# The clang that is inside of zig, for what wants the path of a program without arguments.
exec "$EXACTSTEP_ZIG" clang "$@"
