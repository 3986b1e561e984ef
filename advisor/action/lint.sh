#!/usr/bin/env bash
# The step of action.yml: looks once, and shows what it found in the log, in the job's summary and as files.
# Ends as `advisor lint` does: 0, 1 with findings of the weight that fails, 2 when it could not look.
set -euo pipefail

folder="$RUNNER_TEMP/pie-advisor"
report="$folder/report.json"
mkdir -p "$folder"
rm -f "$report"

version="$(node -p 'require(process.argv[1]).version' "$GITHUB_ACTION_PATH/../package.json")"
npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
  "${LINT_PACKAGE:-@pie/advisor@$version}" || exit 2
advisor="$folder/node_modules/.bin/advisor"

# As `--name=value`: whatever a value begins with, it is none of the command's options.
asked=("--preset=$LINT_PRESET" "--fail-on=$LINT_FAIL_ON")
while IFS= read -r schema; do
  if [[ -n ${schema%$'\r'} ]]; then asked+=("--schema=${schema%$'\r'}"); fi
done <<< "$LINT_SCHEMAS"
while IFS= read -r role; do
  if [[ -n ${role%$'\r'} ]]; then asked+=("--role=${role%$'\r'}"); fi
done <<< "$LINT_ROLES"
while IFS= read -r setting; do
  if [[ -n ${setting%$'\r'} ]]; then asked+=("--trust-setting=${setting%$'\r'}"); fi
done <<< "${LINT_TRUSTED_SETTINGS:-}"
if [[ -n $LINT_ACCEPTED ]]; then asked+=("--accepted=$LINT_ACCEPTED"); fi
if [[ $LINT_STYLE == true ]]; then asked+=(--style); fi

# Names in a database are anybody's, and a line of the log that begins with :: would be an order to the runner.
silence="$(node -p 'crypto.randomUUID()')"
echo "::stop-commands::$silence"
trap 'echo "::$silence::"' EXIT
code=0
"$advisor" lint --json --output "$report" "${asked[@]}" || code=$?
if [[ -s $report ]]; then
  show() { "$advisor" lint --from "$report" --fail-on never "$@"; }
  show
  show --sarif "--sarif-file=$LINT_SARIF_FILE" --output "$folder/lint.sarif"
  show --markdown --output "$folder/lint.md"
fi
if [[ ! -s $report ]]; then exit "$code"; fi

cat "$folder/lint.md" >> "$GITHUB_STEP_SUMMARY"
{
  echo "findings=$(node -p 'require(process.argv[1]).findings.length' "$report")"
  echo "report=$report"
  echo "sarif=$folder/lint.sarif"
  echo "markdown=$folder/lint.md"
} >> "$GITHUB_OUTPUT"
exit "$code"
