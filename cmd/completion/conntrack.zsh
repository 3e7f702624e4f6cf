#compdef conntrack
compdef _conntrack conntrack

# zsh completion for conntrack. The words come from the program:
# conntrack __complete WORD...

_conntrack() {
    local out word text
    local -a shown
    # The words as the program will get them, without quotes. Nothing in them is
    # run.
    out=$("${${(Q)words[1]}/#\~/$HOME}" @COMMAND@ "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null) || return 1
    if [[ $PREFIX == --*=* ]]; then
        compset -P 1 '*=' # the answers are values
    fi
    if [[ ${out##*:} == 0 ]]; then
        _files
        return
    fi
    while IFS=$'\t' read -r word text; do
        if [[ -n $word ]]; then
            word=${word//:/\\:}
            shown+=("$word${text:+:$text}")
        fi
    done <<<"${out%:*}"
    _describe -V 'words' shown
}

# As a file of $fpath it is the function's body.
if [[ $funcstack[1] == _conntrack ]]; then
    _conntrack "$@"
fi
