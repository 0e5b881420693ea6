#!/usr/bin/env bash
# Applies a spec, if the plan is the one that was approved; a plan without changes needs no approval.
#
# In: RECONCILE, SPEC, ARGUMENTS (one a line), and what approved.py needs: GITHUB_REPOSITORY, GITHUB_API_URL,
# GITHUB_TOKEN, COMMIT, BRANCH, and GITHUB_OUTPUT.
set -euo pipefail

: "${RECONCILE:?}" "${SPEC:?}" "${GITHUB_OUTPUT:?}"
# A relative path would be looked for in the proposal, whose content must not be executed.
case $RECONCILE in
/*) ;;
*/*)
    echo "::error::The path of reconcile must be absolute: $RECONCILE"
    exit 1
    ;;
esac
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
arguments=()
while IFS= read -r argument; do
    if [ -n "$argument" ]; then arguments+=("$argument"); fi
done <<<"${ARGUMENTS:-}"

plan=$(mktemp)
trap 'rm -f "$plan"' EXIT
code=0
"$RECONCILE" plan "$SPEC" --no-color --detailed-exitcode --json "${arguments[@]}" >"$plan" || code=$?
case $code in
0)
    echo "No changes: nothing to apply."
    echo "applied=false" >>"$GITHUB_OUTPUT"
    exit 0
    ;;
2) ;;
*)
    cat "$plan"
    exit 1
    ;;
esac
STACK=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["reconcile"]["stack"])' <"$plan")
export STACK

given=$(mktemp)
trap 'rm -f "$plan" "$given"' EXIT
GITHUB_OUTPUT=$given python3 "$here/approved.py"
fingerprint=$(sed -n 's/^fingerprint=//p' "$given")
cat "$given" >>"$GITHUB_OUTPUT"

"$RECONCILE" apply "$SPEC" --no-color --expect "$fingerprint" --lock-timeout 10m "${arguments[@]}"
echo "applied=true" >>"$GITHUB_OUTPUT"
