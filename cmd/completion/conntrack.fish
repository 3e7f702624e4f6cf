# fish completion for conntrack. The words come from the program:
# conntrack __complete WORD...

# __conntrack_complete asks the program. It fails where names of files are wanted,
# which fish completes itself.
function __conntrack_complete
    # The words as the program will get them, without quotes. Nothing in them is
    # run.
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l plain (string unescape -- $typed 2>/dev/null)
    or set plain (string replace -ra '[\'"\\\\]' '' -- $typed)
    set -l program $words[1]
    set -e words[1]
    set -l out ($program @COMMAND@ $words "$plain" 2>/dev/null)
    set -l directive $out[-1]
    set -e out[-1]
    # The answers are values where an option is attached.
    set -l option (string match -r -- '^--[^=]*=' "$plain")
    set -g __conntrack_words
    for line in $out
        set -a __conntrack_words "$option$line"
    end
    test "$directive" != ':0'
end

complete -c conntrack -e
complete -c conntrack -f -k -n __conntrack_complete -a '$__conntrack_words'
