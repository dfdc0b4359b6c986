#!/bin/sh
# sh bench/libmfsio/prepare.sh [SUITE]...
#
# Fetches Debian's libmfsio-dev, and the library it names, of each SUITE (default: the one that this machine runs) with apt-get, unpacked
# and not installed, into a cache folder where bench/run.ts finds them by the version of MooseFS:
#   $MFS_BENCH_LIBMFSIO, else $XDG_CACHE_HOME/moosefs-client/libmfsio, else ~/.cache/moosefs-client/libmfsio
# Needs Debian's apt-get and dpkg, no root. The mirror is the one that this machine is set up for.
set -eu
cache=${MFS_BENCH_LIBMFSIO:-${XDG_CACHE_HOME:-$HOME/.cache}/moosefs-client/libmfsio}
[ $# -gt 0 ] || set -- "$(. /etc/os-release && echo "$VERSION_CODENAME")"
mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep '/debian/$' | head -n 1)
[ -n "$mirror" ] || {
	echo "prepare: this machine's apt knows no mirror of Debian" >&2
	exit 1
}
umask 022
for suite in "$@"; do
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/parts"
	key=/usr/share/keyrings/debian-archive-keyring.gpg
	echo "deb [signed-by=$key] $mirror $suite main" >"$work/sources.list"
	apt() {
		apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/parts" \
			-o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work" -o "APT::Sandbox::User=" "$@"
	}
	apt update
	(cd "$work" && apt download libmfsio-dev)
	# the library's own package is called otherwise in newer suites: the header's package names it
	library=$(dpkg-deb --field "$work"/libmfsio-dev_*.deb Depends | grep -o 'libmfsio[0-9][0-9a-z]*' | head -n 1)
	(cd "$work" && apt download "$library")
	version=$(dpkg-deb --field "$work"/libmfsio-dev_*.deb Version)
	folder=$cache/${version%-*}
	rm -rf "$folder"
	mkdir -p "$folder"
	for package in "$work"/*.deb; do dpkg-deb --extract "$package" "$folder"; done
	rm -rf "$work"
	echo "prepare: $folder"
done
