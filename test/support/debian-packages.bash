# What the installers of Debian packages share, beside cached-part.bash. Nothing is installed on the system, and root is not needed.
# `help` says what to do where the packages cannot be fetched.
# shellcheck shell=bash

# The lists of packages that the system has, or after `own_lists` ones of this run alone.
apt_options=(-q -o APT::Sandbox::User=root)
apt_get() { apt-get "${apt_options[@]}" "$@"; }

# For lists of the system that are missing, or so old that they name versions that are no longer there.
own_lists() {
  lists=$(mktemp -d "$cache/apt-lists.XXXXXX")
  trap 'rm -rf "$lists"' EXIT
  mkdir -p "$lists/state/lists/partial" "$lists/cache/archives/partial"
  apt_options+=(-o "Dir::State=$lists/state" -o "Dir::State::status=$(realpath /var/lib/dpkg/status)" -o "Dir::Cache=$lists/cache")
  say "asking where the packages are (the lists of this system do not do)"
  apt_get update >"$lists/log" 2>&1 || fail "apt-get update failed: $(tail -n 1 "$lists/log"). $help"
}
