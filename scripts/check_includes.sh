#!/usr/bin/env bash
# Holds every #include of our headers to the Makefile's table of folders (LIBS_<folder>): a folder may include its own
# headers and those of the folders it uses, tests and cmd/ and bench/ any.
set -euo pipefail
cd "$(dirname "$0")/.."

bad=0
while read -r folder uses; do
	for file in "$folder"/*.c "$folder"/*.h; do
		[ -e "$file" ] || continue
		while IFS=: read -r line include; do
			target=$(dirname "$include")
			case " $folder $uses " in
			*" $target "*) ;;
			*)
				echo "$file:$line: $folder/ may not include $include (it uses: ${uses:-nothing})" >&2
				bad=1
				;;
			esac
		done < <(grep -nE '^#include "' "$file" | sed -E 's/^([0-9]+):#include "([^"]+)".*/\1:\2/')
	done
done < <(make -s print-folders)
exit $bad
