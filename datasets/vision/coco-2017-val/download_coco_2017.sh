#!/usr/bin/env bash
# Downloads the 5,000 photos of COCO val2017 (815,585,330 bytes) into VISION_DATA_DIR/val2017, by default beside this
# script. An interrupted download goes on where it stopped; the archive is unpacked only if its checksum is right.
# Variables: COCO_VAL2017_URL (another address of the archive), COCO_VAL2017_SHA256 (of another archive),
# VISION_DATA_DIR, KEEP_ARCHIVE=true to keep the archive.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
url=${COCO_VAL2017_URL:-http://images.cocodataset.org/zips/val2017.zip}
sha256=${COCO_VAL2017_SHA256:-4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05}
folder=${VISION_DATA_DIR:-$here}
archive=$folder/val2017.zip
partial=$archive.part
photos=$folder/val2017

die() {
	echo "download_coco_2017: $*" >&2
	exit 1
}
is_whole() { [ -f "$1" ] && [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$sha256" ]; }
# Goes on with $partial. A server that cannot go on, or has nothing to go on with, makes us start again.
fetch() {
	if command -v curl >/dev/null; then
		local status=0 code
		code=$(curl --fail --location --retry 5 --retry-delay 2 --continue-at - --output "$partial" \
			--write-out '%{http_code}' "$url") || status=$?
		if [ -s "$partial" ] && { [ "$status" -eq 33 ] || [ "$code" = 416 ]; }; then
			echo "The server cannot go on with $partial: starting again"
			rm -f "$partial"
			status=0
			curl --fail --location --retry 5 --retry-delay 2 --output "$partial" "$url" || status=$?
		fi
		return "$status"
	elif command -v wget >/dev/null; then
		wget --tries=5 --continue --output-document="$partial" "$url"
	else
		die "neither curl nor wget is here; please install one of them"
	fi
}

if [ -d "$photos" ]; then
	echo "$photos is there already"
	exit 0
fi
mkdir -p "$folder"
if ! is_whole "$archive"; then
	if ! is_whole "$partial"; then
		echo "Downloading $url"
		fetch || die "the download failed; run this again to go on from $(stat -c %s "$partial" 2>/dev/null || echo 0) bytes"
		if ! is_whole "$partial"; then
			rm -f "$partial"
			die "what came from $url does not have the SHA-256 $sha256; it was removed"
		fi
	fi
	mv "$partial" "$archive"
fi

echo "Unpacking $archive"
work=$(mktemp -d "$folder/val2017.unpack.XXXXXX")
trap 'rm -rf "$work"' EXIT
if command -v unzip >/dev/null; then
	unzip -q "$archive" -d "$work"
else
	python3 -m zipfile -e "$archive" "$work"
fi
[ -d "$work/val2017" ] || die "$archive holds no folder val2017"
mv "$work/val2017" "$photos"
[ "${KEEP_ARCHIVE:-false}" = true ] || rm -f "$archive"
echo "$(find "$photos" -type f | wc -l) photos in $photos"
