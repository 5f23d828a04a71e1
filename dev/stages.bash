# shellcheck shell=bash
# Sourced: runs the stages of a check one after another, keeps their output, and sums up.
#
# A stage that fails does not stop the next ones: one run tells all there is to tell.

stage_lines=()
stage_failures=0

# run_stage NAME COMMAND... : prints and keeps the output of the command.
run_stage() {
    local name="$1" started=$SECONDS result
    shift
    mkdir -p .tools/logs
    echo '*' >.tools/.gitignore
    printf '\n==> %s\n' "$name"
    if "$@" 2>&1 | tee ".tools/logs/$name.log"; then
        result=passed
    else
        result=FAILED
        stage_failures=$((stage_failures + 1))
    fi
    stage_lines+=("$(printf '%-14s %-7s %4d s   %s' "$name" "$result" "$((SECONDS - started))" "$(stage_summary "$name")")")
}

# What the stage's own runner says in the end.
stage_summary() {
    grep -E '(Test run with .* (passed|failed)|[0-9]+ (passed|failed).* in [0-9.]+s|All checks passed|Success: no issues)' \
        ".tools/logs/$1.log" | sed -E 's/^[^A-Za-z0-9]+//; s/ =+$//' | tail -n 1 || true
}

# Prints the table; fails if a stage did.
finish_stages() {
    printf '\n'
    printf '%s\n' "${stage_lines[@]}"
    if [ "$stage_failures" -gt 0 ]; then
        printf '\n%d failed; their output is in .tools/logs\n' "$stage_failures"
        return 1
    fi
    printf '\nall passed\n'
}
