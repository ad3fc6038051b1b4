#!/bin/sh
# Installs those of the given Debian packages that are missing. Silent if none
# is, and it asks for root only if one is.
set -eu

missing=
for package; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get -qq update
# The names are split on purpose.
# shellcheck disable=SC2086
$sudo apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends $missing >/dev/null
