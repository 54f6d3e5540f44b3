# Manual pages and completion scripts say what the help says, and the tools that read them take them.
. "$(dirname "$0")/lib.sh"
documents=$(dirname "$shortgpt")/documents

# option names of a command's help, a line each
options_of() {
    "$shortgpt" "$1" --help | sed -n '/^Options/,/^$/ s/^ \{2,6\}\(-., \)\{0,1\}--\([a-z-]*\).*/\2/p' | sort -u
}
commands=$("$shortgpt" --help | sed -n '/^Commands/,/^$/ s/^  \([a-z]*\) .*/\1/p')
[ "$(echo "$commands" | wc -l)" -ge 7 ] || fail "commands: $commands"
[ "$(echo shortgpt; for c in $commands; do echo "shortgpt-$c"; done)" = "$("$shortgpt" man -q)" ] || fail "man -q lists other pages"

for command in $commands; do
    expect "man $command" 0 "" man "$command"
    cp "$base/out" "$base/page"
    want=$(options_of "$command")
    got=$(sed -n '/^\.SH OPTIONS/,/^\.SH JSON/p' "$base/page" | sed -n 's/^.*\\fB\\-\\-\([a-z\\-]*\)\\fR.*/\1/p' | sed 's/\\-/-/g' | sort -u)
    [ "$got" = "$want" ] || fail "man $command: options $got, not $want"
    for section in NAME SYNOPSIS DESCRIPTION OPTIONS EXAMPLES "EXIT STATUS" ENVIRONMENT FILES "SEE ALSO"; do
        grep -qx ".SH $section" "$base/page" || fail "man $command: no $section"
    done
    got=$("$shortgpt" completion fish | sed -n "s/.*__fish_seen_subcommand_from $command' -l \([a-z-]*\).*/\1/p" | sort -u)
    [ "$got" = "$want" ] || fail "fish, $command: options $got, not $want"
    got=$("$shortgpt" completion zsh | sed -n "/^    $command)/,/;;/p" | sed -n "s/^ *'\**--\([a-z-]*\).*/\1/p" | sort -u)
    [ "$got" = "$want" ] || fail "zsh, $command: options $got, not $want"
    cmp -s "$base/page" "$documents/man/shortgpt-$command.1" || fail "man $command: the page that was built is another"
done
expect "man" 0 "" man
cmp -s "$base/out" "$documents/man/shortgpt.1" || fail "man: the page that was built is another"
for command in $commands; do
    grep -q "^.BR shortgpt.*-$command (1)" "$base/out" || fail "man: no $command"
done

# what reads them
if command -v groff >/dev/null; then
    for page in "$documents"/man/*.1; do
        groff -man -Tutf8 -ww "$page" >"$base/text" 2>"$base/err" || fail "groff $page: failed"
        [ ! -s "$base/err" ] || fail "groff $page: $(head -n 3 "$base/err")"
        [ "$(wc -l <"$base/text")" -gt 40 ] || fail "groff $page: no text"
    done
else
    echo "skip: groff is not there"
fi
if man --version >/dev/null 2>&1; then
    MANROFFSEQ='' MANWIDTH=80 man --warnings=w -l "$documents/man/shortgpt-prune.1" >"$base/text" 2>"$base/err" </dev/null
    [ ! -s "$base/err" ] && grep -q -e --overwrite "$base/text" || fail "man: $(head -n 3 "$base/err")"
fi

# complete WORD...: what bash offers for the last word
complete_bash() {
    "$BASH" -c 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _shortgpt; echo "${COMPREPLY[*]}"' - "$documents/bash/shortgpt" "$@"
}
completes() { # WANT WORD...
    local want=$1 got
    shift
    got=$(complete_bash "$@")
    [ "$got" = "$want" ] || fail "bash, $*: \"$got\", not \"$want\""
}
completes score shortgpt sc
completes "--help --version" shortgpt --
completes "auto always never" shortgpt score m.gguf --bos ""
completes "bf16" shortgpt eval --precision b
completes "--trial-tokens --text --tokens --threads" shortgpt score --t
completes "" shortgpt score ""
completes "" shortgpt score --text --
completes "" shortgpt prune -o o
completes "bash zsh fish" shortgpt completion ""
completes prune shortgpt help pr
completes "plan prune" shortgpt man p
for command in $commands; do
    [ "$(complete_bash shortgpt "$command" -- | tr ' ' '\n' | sed -n 's/^--//p' | sort -u)" = "$(options_of "$command")" ] || fail "bash, $command: other options"
done
if command -v zsh >/dev/null; then
    zsh -n "$documents/zsh/_shortgpt" 2>"$base/err" || fail "zsh: $(cat "$base/err")"
    zsh -fc 'autoload -U compinit && compinit -u -d "$2" && source "$1" && [[ ${_comps[shortgpt]} = _shortgpt ]]' - "$documents/zsh/_shortgpt" "$base/dump" \
        >"$base/err" 2>&1 || fail "zsh does not load it: $(cat "$base/err")"
fi
if command -v fish >/dev/null; then
    export HOME="$base" XDG_CONFIG_HOME="$base/config" XDG_DATA_HOME="$base/data"
    # offered WANT LINE
    offered() {
        local got
        got=$(fish --no-config -c "source $documents/fish/shortgpt.fish; complete -C '$2'" 2>&1 | cut -f 1 | tr '\n' ' ')
        [ "$got" = "$1 " ] || fail "fish, $2: \"$got\", not \"$1\""
    }
    offered score "shortgpt sc"
    offered "--bos" "shortgpt score --bo"
    offered "always auto never" "shortgpt score --color "
    offered "bash fish zsh" "shortgpt completion "
fi

# installing puts them where they are looked for
build=$(dirname "$shortgpt")
if [ -f "$build/cmake_install.cmake" ] && command -v cmake >/dev/null; then
    cmake --install "$build" --prefix "$base/prefix" >"$base/out" 2>&1 || fail "install: $(tail -n 2 "$base/out")"
    for page in $("$shortgpt" man -q); do
        [ -s "$base/prefix/share/man/man1/$page.1" ] || fail "install: no $page.1"
    done
    for file in bin/shortgpt share/bash-completion/completions/shortgpt share/zsh/site-functions/_shortgpt share/fish/vendor_completions.d/shortgpt.fish; do
        [ -s "$base/prefix/$file" ] || fail "install: no $file"
    done
fi
finish
