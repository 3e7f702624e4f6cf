# bash completion for conntrack                            -*- shell-script -*-
#
# It needs bash only: the package bash-completion need not be installed. The
# words come from the program: conntrack __complete WORD...

_conntrack() {
    local rest=${COMP_LINE:0:COMP_POINT} line=() cur='' i word blanks
    # bash has split the words at = and : too (COMP_WORDBREAKS). Those with
    # nothing between them are one word for the program.
    for ((i = 0; i <= COMP_CWORD; i++)); do
        blanks=${rest%%[![:blank:]]*}
        rest=${rest#"$blanks"}
        if [[ $i -gt 0 && -n $blanks ]]; then
            line+=("$cur")
            cur=''
        fi
        word=${COMP_WORDS[i]}
        if [[ $i -eq $COMP_CWORD ]]; then
            word=$rest # up to the cursor
        fi
        rest=${rest#"$word"}
        cur+=$word
    done

    # The words as the program will get them, without quotes.
    local words=()
    for word in "${line[@]}" "$cur"; do
        word=${word//\\/}
        word=${word//\'/}
        words+=("${word//\"/}")
    done
    local typed=${words[${#words[@]} - 1]} out
    out=$("${words[0]/#\~/$HOME}" @COMMAND@ "${words[@]:1}" 2>/dev/null) || return
    local directive=${out##*:}
    out=${out%:*}

    # bash replaces what is behind the last = or :, where it splits there; an
    # answer is the value of --option=value, or a word.
    local option='' cut='' breaks=${COMP_WORDBREAKS//[^=:]/}
    if [[ $typed == --*=* ]]; then
        option=${typed%%=*}=
        typed=${typed#"$option"}
        if [[ $breaks == *=* ]]; then
            option=''
        fi
    fi
    if [[ -n $breaks && $typed == *[$breaks]* ]]; then
        cut=${typed%"${typed##*[$breaks]}"}
    fi

    COMPREPLY=()
    if [[ $directive == 0 ]]; then
        while IFS='' read -r word; do
            COMPREPLY+=("$option${word#"$cut"}")
        done < <(compgen -f -- "${typed/#\~/$HOME}")
        compopt -o filenames 2>/dev/null
        return
    fi

    local names=() texts=() text width=0
    while IFS=$'\t' read -r word text; do
        if [[ -n $word ]]; then
            word=$option${word#"$cut"}
            names+=("$word")
            texts+=("$text")
            ((${#word} > width)) && width=${#word}
        fi
    done <<<"$out"
    for ((i = 0; i < ${#names[@]}; i++)); do
        word=${names[i]}
        # Descriptions are for a list. COMP_TYPE 37 and 42 insert the words.
        if [[ ${#names[@]} -gt 1 && -n ${texts[i]} && $COMP_TYPE -ne 37 && $COMP_TYPE -ne 42 ]]; then
            printf -v word '%-*s  (%s)' "$width" "$word" "${texts[i]}"
            word=${word:0:${COLUMNS:-80}-2}
        elif [[ $cur != *[\'\"]* && $word == *[[:space:]\'\"\\\$\&\;\|\<\>\(\)\`\*\?]* ]]; then
            printf -v word '%q' "$word"
        fi
        COMPREPLY+=("$word")
    done
}

# The order is that of the program where bash can keep it (4.4).
complete -o nosort -F _conntrack conntrack 2>/dev/null || complete -F _conntrack conntrack
