# What the installers of parts from package registries share: a part is a folder in the user's cache, which is made once.
# shellcheck shell=bash
set -euo pipefail

cache=${OMNIA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/omnia}
# A registry that does not answer once mostly does the next time.
attempts=3

say() { echo "${0##*/}: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# The digest of what comes in, for a folder's name: other contents get a folder of their own.
digest() { sha256sum | cut -c 1-16; }

# make_part FOLDER CHECK MAKE: calls MAKE in the empty folder, unless the folder is there, no file of it is missing or cut short, and
# CHECK FOLDER succeeds. Of two runs at once, the second waits for the first and finds the part made.
make_part() {
  local folder=$1 check=$2 make=$3
  part_works "$folder" "$check" && return
  mkdir -p "$cache"
  exec 9>"$folder.lock"
  if command -v flock >/dev/null; then flock 9; fi
  part_works "$folder" "$check" && return
  [ ! -e "$folder" ] || say "$folder is not whole or does not work: it is made anew"
  rm -rf "$folder"
  mkdir "$folder"
  (
    cd "$folder"
    "$make"
  )
  "$check" "$folder" || fail "$folder was made and does not work"
  files_of "$folder" >"$folder.files"
  # It comes last, so that half a part does not count.
  mv "$folder.files" "$folder/.files"
  rm -f "$folder.log"
  say "ready: $folder"
}

part_works() {
  [ -f "$1/.files" ] && [ -z "$(files_of "$1" | LC_ALL=C comm -13 - "$1/.files")" ] && "$2" "$1"
}

# The size and the name of each file, those aside that Python and others write when they run.
files_of() { (cd "$1" && find . -type f ! -name '*.pyc' ! -path ./.files -printf '%s %p\n' | LC_ALL=C sort); }

# fetched WHAT COMMAND...: runs the command until it succeeds, a few times. Its output goes to the part's log, which stays when it fails.
fetched() {
  local what=$1 log="$PWD.log" attempt
  shift
  for ((attempt = 1; attempt <= attempts; attempt++)); do
    "$@" >"$log" 2>&1 9>&- && return
    say "attempt $attempt of $attempts to fetch $what failed: $(grep -iE 'error|err!' "$log" | tail -n 1)"
    [ "$attempt" = "$attempts" ] || sleep $((attempt * 2))
  done
  fail "could not fetch $what; all that was said is in $log"
}
