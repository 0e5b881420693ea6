#!/usr/bin/env bash
# Plans a spec once, and leaves the plan in every form that the other steps need.
#
# In: RECONCILE (the binary), SPEC, ARGUMENTS (one a line), FOLDER (for what is made), and what Actions sets:
# GITHUB_OUTPUT, GITHUB_STEP_SUMMARY. Out: stack, changes (true or false), fingerprint.
set -euo pipefail

: "${RECONCILE:?}" "${SPEC:?}" "${FOLDER:?}" "${GITHUB_OUTPUT:?}"
# A relative path would be looked for in the proposal, whose content must not be executed.
case $RECONCILE in
/*) ;;
*/*)
    echo "::error::The path of reconcile must be absolute: $RECONCILE"
    exit 1
    ;;
esac
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
arguments=()
while IFS= read -r argument; do
    if [ -n "$argument" ]; then arguments+=("$argument"); fi
done <<<"${ARGUMENTS:-}"
mkdir -p "$FOLDER"

# The text in backticks needs a longer run of them around it than any in it.
fenced() {
    local fence='```'
    while grep -qF -- "$fence" "$1"; do fence="$fence\`"; done
    printf '%s\n' "$fence"
    cat "$1"
    printf '%s\n' "$fence"
}

# A link could lead to what the proposer must not see, such as this process's credentials, and an error would show it.
root=$(realpath .)
while IFS= read -r -d '' link; do
    case $(realpath -m -- "$link") in
    "$root"/*) ;;
    *)
        echo "::error::$link leads out of the proposal: nothing was planned."
        exit 1
        ;;
    esac
done < <(find . -name .git -prune -o -type l -print0)

code=0
"$RECONCILE" plan "$SPEC" --no-color --detailed-exitcode --out "$FOLDER/plan.json" --format markdown "${arguments[@]}" \
    >"$FOLDER/plan.md" 2>"$FOLDER/messages.txt" || code=$?
cat "$FOLDER/messages.txt"

if [ "$code" -ne 0 ] && [ "$code" -ne 2 ]; then
    {
        printf '**Planning failed.**\n\n'
        fenced "$FOLDER/messages.txt"
    } | tee "$FOLDER/plan.md" >>"$summary"
    printf 'stack=%s\nchanges=false\nfingerprint=\n' "$(basename "$SPEC")" >>"$GITHUB_OUTPUT"
    exit 1
fi

# From the saved plan: one plan in every form, whatever happens meanwhile.
"$RECONCILE" show "$FOLDER/plan.json" --no-color
"$RECONCILE" show "$FOLDER/plan.json" --format html >"$FOLDER/plan.html"
"$RECONCILE" show "$FOLDER/plan.json" --format json >"$FOLDER/terraform.json"
cat "$FOLDER/plan.md" >>"$summary"
python3 - "$FOLDER/terraform.json" "$code" >>"$GITHUB_OUTPUT" <<'PYTHON'
import json, re, sys
with open(sys.argv[1], encoding="utf-8") as file:
    plan = json.load(file)["reconcile"]
assert re.fullmatch(r"[0-9a-f]{64}", plan["fingerprint"])
assert re.fullmatch(r"[A-Za-z0-9._-]+", plan["stack"])
print(f"stack={plan['stack']}")
print(f"changes={'true' if sys.argv[2] == '2' else 'false'}")
print(f"fingerprint={plan['fingerprint']}")
PYTHON
