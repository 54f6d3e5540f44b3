#!/bin/bash
# bench.sh BUILD [FIGURE ...]: measures this program on this machine; without a figure, all of them, about an hour.
#   machine  what was measured, with what          rates    peak of the matrix unit, rates of single products
#   score    tokens/s, against llama-bench and transformers where they are on PATH
#   eval     the same with the head                share    the pass against its own weight products; where its time goes
#   copy     prune against cp, sync and a reading  startup  inspect of 100 GB, and of 200,000 tensors
#   scaling  seconds against tokens, layers, hidden size, window, threads
# Each number is the median of BENCH_REPEAT runs (5), with the least and the most in brackets; programs that are compared take turns.
# Other settings: BENCH_DIR (where models are made: build/bench; 15 GB), BENCH_THREADS (all), BENCH_TOKENS (65536).
set -euo pipefail
build=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
bin=$build/bench
shortgpt=$build/shortgpt
dir=${BENCH_DIR:-build/bench}
repeat=${BENCH_REPEAT:-5}
threads=${BENCH_THREADS:-$(nproc)}
tokens=${BENCH_TOKENS:-65536}
python=
if command -v python3 >/dev/null && python3 -c 'import torch, transformers' 2>/dev/null; then
    python=python3
fi
llama=$(command -v llama-bench || true)
mkdir -p "$dir"

# ---- parts ---------------------------------------------------------------------------------------------------------------------------

# stdin: a number a line; "MEDIAN [LEAST - MOST]"
median() {
    sort -g | awk '{v[NR] = $1} END {m = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
        f = m < 10 ? "%.3f" : m < 1000 ? "%.1f" : "%.0f"; printf f " [" f " - " f "]\n", m, v[1], v[NR]}'
}
# ratio OURS THEIRS: of two such medians
ratio() { awk -v a="${1%% *}" -v b="${2%% *}" 'BEGIN {printf "%.2f", a / b}'; }
number() { sed -n "s/.*\"$1\": *\([0-9.e+-]*\).*/\1/p" | head -n 1; }
heading() { printf '\n== %s\n' "$*"; }
seconds() { # COMMAND...: its wall time
    local TIMEFORMAT=%R
    { time "$@" >/dev/null 2>&1; } 2>&1
}

# make NAME SHAPE FORMAT [NAME=NUMBER ...]: a generated model, once; its path is in $model
make_model() {
    model=$dir/$1
    shift
    if [ ! -e "$model" ]; then
        rm -rf "$model.part"
        "$bin/make_model" "$1" "$2" "$model.part" "${@:3}"
        mv "$model.part" "$model"
    fi
}
text=$dir/text.txt
if [ ! -e "$text" ]; then
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do cat src/measure/texts/*.txt; done >"$text.part"
    mv "$text.part" "$text"
fi
rate_of() { "$shortgpt" "$1" "$2" --text "$text" --tokens "$tokens" --window 512 --precision bf16 --threads "$threads" --quiet --json -; }
score_rate() { rate_of score "$1" | number tokens_per_second; }
eval_rate() { # its JSON has seconds and predictions
    rate_of eval "$1" | awk -v n="$tokens" 'match($0, /"seconds": *[0-9.]+/) {split(substr($0, RSTART, RLENGTH), s, ":"); print n / s[2]; exit}'
}
llama_rate() { "$llama" -m "$1" -p 512 -n 0 -r 1 -t "$threads" -o json 2>/dev/null | number avg_ts; }

# compare score|eval NAME MODEL: against llama-bench on the same file, in turns
compare() {
    local i ours="" theirs=""
    for i in $(seq "$repeat"); do
        ours+="$("$1_rate" "$3")"$'\n'
        if [ -n "$llama" ]; then theirs+="$(llama_rate "$3")"$'\n'; fi
    done
    ours=$(printf %s "$ours" | median)
    printf '%-34s %s tokens/s' "$1 $2" "$ours"
    if [ -n "$llama" ]; then
        theirs=$(printf %s "$theirs" | median)
        printf '; llama-bench pp512 %s; %s times' "$theirs" "$(ratio "$ours" "$theirs")"
    fi
    echo
}
# against transformers, on a directory
compare_python() {
    local i ours="" theirs
    for i in $(seq "$repeat"); do ours+="$(score_rate "$2")"$'\n'; done
    ours=$(printf %s "$ours" | median)
    printf '%-34s %s tokens/s' "score $1" "$ours"
    if [ -n "$python" ]; then
        theirs=$(for i in $(seq "$repeat"); do "$python" bench/transformers_rate.py "$2" "$threads" 2>/dev/null; done | median)
        printf '; transformers %s; %s times' "$theirs" "$(ratio "$ours" "$theirs")"
    fi
    echo
}
say_absent() {
    if [ -z "$llama" ]; then echo "(llama-bench is not on PATH: not compared)"; fi
    if [ "$1" = both ] && [ -z "$python" ]; then echo "(python3 with torch and transformers is not on PATH: not compared)"; fi
}
# What the page cache holds of files is dropped, as far as it is written.
forget() { for f in "$@"; do dd if="$f" iflag=nocache count=0 status=none; done; }

# ---- figures -------------------------------------------------------------------------------------------------------------------------

bench_machine() {
    heading machine
    date -u +'%Y-%m-%d %H:%M UTC'
    uname -srm
    lscpu | sed -n 's/^Model name: */processor  /p; s/^L2 cache: */L2 cache   /p; s/^L3 cache: */L3 cache   /p'
    echo "threads    $threads of $(nproc)"
    awk '/MemTotal/ {printf "memory     %.1f GiB\n", $2 / 1048576}' /proc/meminfo
    echo "load       $(cut -d' ' -f1-3 /proc/loadavg) before the run"
    "$shortgpt" --version
    git log -1 --format='commit %h' 2>/dev/null || true
    if [ -n "$llama" ]; then echo "llama-bench: $("$llama" --version 2>&1 | head -n 1)"; fi
    if [ -n "$python" ]; then
        "$python" -c 'import torch, transformers; print("transformers", transformers.__version__, "torch", torch.__version__)'
    fi
    say_absent both
}
bench_rates() {
    heading "rates"
    "$bin/rates" "$threads"
}
bench_score() {
    heading "score: $tokens tokens, windows of 512, bf16"
    say_absent both
    compare score "SmolLM2-135M Q4_1" "$(sh scripts/model.sh)"
    for shape in gemma-270m qwen-0.5b llama-1.1b; do
        for format in bf16 q4_k_m; do
            make_model "$shape.$format.gguf" "$shape" "$format"
            compare score "$shape $format" "$model"
        done
    done
    for shape in smollm2-135m gemma-270m qwen-0.5b llama-1.1b; do
        make_model "$shape.hf" "$shape" hf
        compare_python "$shape safetensors" "$model"
    done
}
bench_eval() {
    heading "eval: $tokens tokens, windows of 512, bf16, with the head"
    say_absent llama
    compare eval "SmolLM2-135M Q4_1" "$(sh scripts/model.sh)"
}
bench_share() {
    heading "share: the pass against its weight products alone"
    make_model llama-1.1b.hf llama-1.1b hf
    for m in "$(sh scripts/model.sh)" "$model"; do
        : >"$dir/share"
        for _ in $(seq "$repeat"); do
            "$bin/breakdown" "$m" score 16384 512 "$text" "$threads" >"$dir/breakdown"
            sed -n 's/^share of the products. rate: \([0-9.]*\) %/\1/p' "$dir/breakdown" >>"$dir/share"
        done
        echo "$(basename "$m"): share of its products' rate $(median <"$dir/share") %; the last run:"
        sed '$d' "$dir/breakdown"
    done
    echo "$(basename "$(sh scripts/model.sh)") with the head:"
    "$bin/breakdown" "$(sh scripts/model.sh)" eval 16384 512 "$text" "$threads"
}
bench_copy() {
    heading "copy: prune of 3.8 GB against cp and sync of what is kept, and one reading of OUT"
    make_model copy.hf llama-1.1b hf layers=40
    local ours="" theirs="" whole="" i
    for i in $(seq "$repeat"); do
        rm -rf "$dir/copy.out" "$dir/copy.cp"
        cat "$model"/*.safetensors >/dev/null
        "$bin/stages" "$model" "$dir/copy.out" >"$dir/stages"
        ours+="$(awk '/^(writing|reading back)/ {s += $NF} END {print s}' "$dir/stages")"$'\n'
        whole+="$(awk '{s += $NF} END {print s}' "$dir/stages")"$'\n'
        mkdir "$dir/copy.cp"
        forget "$dir"/copy.out/*.safetensors
        cat "$dir"/copy.out/*.safetensors >/dev/null # for cp, too, the source is in the page cache
        copied=$(seconds sh -c 'cp --reflink=never "$1"/* "$2" && sync "$2"/*' sh "$dir/copy.out" "$dir/copy.cp")
        forget "$dir"/copy.cp/*.safetensors
        read=$(seconds cat "$dir"/copy.cp/*.safetensors)
        theirs+="$(awk -v a="$copied" -v b="$read" 'BEGIN {print a + b}')"$'\n'
    done
    rm -rf "$dir/copy.out" "$dir/copy.cp"
    ours=$(printf %s "$ours" | median) theirs=$(printf %s "$theirs" | median)
    echo "written, synced and read back    $ours s; cp, sync, reading $theirs s; $(ratio "$ours" "$theirs") times"
    echo "with the forward check           $(printf %s "$whole" | median) s"
}
bench_startup() {
    heading "startup: inspect"
    make_model startup.hf llama-50b hf shards=20 sparse=1
    local hf=$model TIMEFORMAT='%R %U %S' m i
    make_model startup.gguf llama-thin bf16 sparse=1
    for m in "$hf" "$model"; do
        : >"$dir/startup"
        for i in $(seq "$repeat"); do
            { time "$shortgpt" inspect "$m" >/dev/null; } 2>>"$dir/startup"
        done
        echo "$(basename "$m") ($("$shortgpt" inspect "$m" --json - | number bytes) bytes)   $(cut -d' ' -f1 "$dir/startup" | median) s," \
            "of it processor time $(awk '{print $2 + $3}' "$dir/startup" | median) s"
    done
}

# ---- scaling -------------------------------------------------------------------------------------------------------------------------

# point AXIS VALUE X TOKENS WINDOW THREADS [NAME=NUMBER ...]: a line "AXIS VALUE SECONDS SPREAD" and, for the fit, X and the seconds
point() {
    local axis=$1 value=$2 x=$3 n=$4 window=$5 t=$6 s=""
    shift 6
    make_model "scaling$(printf '.%s' "$@").hf" scaling hf "$@"
    for _ in $(seq "$repeat"); do
        s+="$("$shortgpt" score "$model" --text "$text" --tokens "$n" --window "$window" --precision bf16 --threads "$t" \
            --quiet --json - | number seconds)"$'\n'
    done
    s=$(printf %s "$s" | median)
    printf '| %s | %s | %s | %.0f |\n' "$axis" "$value" "$s" "$(awk -v n="$n" -v s="${s%% *}" 'BEGIN {print n / s}')"
    echo "$x ${s%% *}" >>"$dir/fit"
}
# fit NAME: least squares of seconds = a + b x over the points since the last one
fit() {
    awk -v name="$1" '{n++; x[n] = $1; y[n] = $2; sx += $1; sy += $2; sxx += $1 * $1; sxy += $1 * $2}
        END {b = (n * sxy - sx * sy) / (n * sxx - sx * sx); a = (sy - b * sx) / n
            for (i = 1; i <= n; i++) {e = (y[i] - a - b * x[i]) ^ 2; se += e; st += (y[i] - sy / n) ^ 2}
            printf "| fit | seconds = %.3g + %.3g x %s, R2 %.4f | | |\n", a, b, name, 1 - se / st}' "$dir/fit"
    : >"$dir/fit"
}
bench_scaling() {
    heading "scaling: score in bf16 of a llama shape, 16 layers of 512, 16,384 tokens, windows of 512, $threads threads, unless said"
    local n
    : >"$dir/fit"
    printf '| what | value | seconds | tokens/s |\n|---|---|---|---|\n'
    for n in 4096 8192 16384 32768 65536 131072 262144; do point tokens $n $n $n 512 "$threads" layers=16; done
    fit tokens
    for n in 8 16 32 64; do point layers $n $n 16384 512 "$threads" layers=$n; done
    fit layers
    for n in 512 1024 2048 4096; do
        point "hidden, 8 layers" $n $((n * n)) 16384 512 "$threads" layers=8 hidden=$n ffn=$((n / 4 * 11)) heads=$((n / 64)) kv_heads=$((n / 256))
    done
    fit "hidden^2"
    for n in 512 2048 8192 32768; do point "window, 32,768 tokens" $n $n 32768 $n "$threads" layers=16; done
    fit window
    for n in 1 2; do
        if [ "$n" -le "$(nproc)" ]; then point threads $n $n 16384 512 $n layers=16; fi
    done
}

# ---- what was asked for --------------------------------------------------------------------------------------------------------------

for figure in "${@:-all}"; do
    case $figure in
    all) for each in machine rates score eval share copy startup scaling; do "bench_$each"; done ;;
    machine | rates | score | eval | share | copy | startup | scaling) "bench_$figure" ;;
    *)
        echo "bench: no figure \"$figure\"; there are machine, rates, score, eval, share, copy, startup, scaling, all" >&2
        exit 2
        ;;
    esac
done
