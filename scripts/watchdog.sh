#!/bin/sh
# watchdog.sh FOLDER [COMMAND [ARGUMENT]...]
# Ends processes and removes FOLDER when whoever started it is gone, for whatever reason (SIGKILL too); then runs
# COMMAND. It reads from its standard input, one a line:
#   + PID     from now on this process (-PID: this process group) is to be ended
#   - PID     it has ended by itself: its number may belong to somebody else now
# and acts at the end of the input, which comes when the other end of the pipe is closed or its process is gone.
set -u
trap '' INT TERM HUP
folder=$1
shift
watched=
while read -r what pid; do
	rest=
	for known in $watched; do
		[ "$known" = "$pid" ] || rest="$rest $known"
	done
	watched=$rest
	[ "$what" != + ] || watched="$watched $pid"
done
# dash knows no "kill -KILL --"
# shellcheck disable=SC2086
[ -z "$watched" ] || kill -s KILL -- $watched 2>/dev/null
# a process that is just dying may still be adding files
for _ in 1 2 3 4 5 6 7 8 9 10; do
	rm -rf --one-file-system -- "$folder" 2>/dev/null
	[ -e "$folder" ] || break
	sleep 0.2
done
[ ! -e "$folder" ] || rm -rf -- "$folder"
[ $# = 0 ] || "$@"
