#!/bin/sh
# make-image.sh [OUT [WORK]] -- builds a small Debian image of four layers, as an OCI layout, for the tests.
#
#   OUT   OCI layout directory to write; the image gets the tag "latest"
#         (default: ./image).  Replaced if it exists.
#   WORK  scratch directory on a disk (default: a new directory in $TMPDIR or
#         /var/tmp); removed afterwards unless KEEP=1.
#
# Environment: SUITE (default: this system's VERSION_CODENAME), MIRROR
# (default: what this system's apt sources name for SUITE), DRIVER (overlay or
# vfs; default: overlay when it can be mounted in WORK), KEEP=1.
#
# Needs root, debootstrap, buildah and apt.  Everything buildah writes goes
# to a private storage under WORK; no image or container is left behind.
#
# Layers (gzip):
#   1  debootstrap --variant=minbase, without apt caches and device nodes
#   2  apt-get install of a few packages (iputils-ping: security.capability)
#   3  deletions: whole directories, single files, a directory deleted and made
#      again, a file turned into a directory and the reverse
#   4  some of the deleted names come back
set -eu

[ "$(id -u)" = 0 ] || { echo "$0: needs root" >&2; exit 1; }
OUT=${1:-./image}
if [ $# -ge 2 ]; then
	WORK=$2
	mkdir -p "$WORK"
	WORK=$(cd "$WORK" && pwd)/make-image.$$
	mkdir "$WORK"
else
	WORK=$(mktemp -d "${TMPDIR:-/var/tmp}/make-image.XXXXXX")
fi
case $OUT in /*) ;; *) OUT=$PWD/$OUT ;; esac
PACKAGES=${PACKAGES:-"iputils-ping less file"}

# ---- mirror and suite, as apt on this system sees them
SUITE=${SUITE:-$(. /etc/os-release && echo "$VERSION_CODENAME")}
if [ -z "${MIRROR:-}" ]; then
	MIRROR=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
		awk -v s="$SUITE" '$1 == s { print $2; exit }')
	case $MIRROR in
	mirror+file:*)	# a file of mirrors, best first
		MIRROR=$(awk '!/^#/ && NF { print $1; exit }' "${MIRROR#mirror+file:}") ;;
	esac
fi
[ -n "$MIRROR" ] || { echo "$0: no mirror for $SUITE in the apt sources; set MIRROR" >&2; exit 1; }

# ---- private storage
if [ -z "${DRIVER:-}" ]; then
	DRIVER=vfs
	mkdir -p "$WORK/t/l" "$WORK/t/u" "$WORK/t/w" "$WORK/t/m"
	if mount -t overlay overlay -o "lowerdir=$WORK/t/l,upperdir=$WORK/t/u,workdir=$WORK/t/w" "$WORK/t/m" 2>/dev/null
	then umount "$WORK/t/m"; DRIVER=overlay
	fi
	rm -rf "$WORK/t"
fi
R=$WORK/storage
bh() {
	if [ "$DRIVER" = overlay ]; then
		# without skip_mount_home a bind mount of ROOT/overlay stays behind
		buildah --root "$R/root" --runroot "$R/run" --storage-driver overlay \
			--storage-opt overlay.skip_mount_home=true "$@"
	else
		buildah --root "$R/root" --runroot "$R/run" --storage-driver "$DRIVER" "$@"
	fi
}
cleanup() {
	rc=$?
	trap - EXIT
	bh rm --all >/dev/null 2>&1 || :
	bh rmi --all --force >/dev/null 2>&1 || :
	# nothing should be mounted by now; never delete through a mount
	awk -v w="$WORK/" 'index($5, w) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r m; do umount "$m" || umount -l "$m"; done
	[ "${KEEP:-}" = 1 ] || rm -rf --one-file-system "$WORK"
	exit $rc
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- what apt in the chroot needs from this system; mounted on /mnt of the
# chroot while it runs, so nothing of it gets into a layer
H=$WORK/host
mkdir -p "$H/empty"
echo "deb $MIRROR $SUITE main" >"$H/sources.list"
{
	apt-config dump | grep -E '^Acquire::(http|https|ftp|Check-Valid-Until|Check-Date|Retries)[: ]' || :
	cat <<-E
	Acquire::https::CaInfo "/mnt/ca.crt";
	Acquire::Languages "none";
	Dir::Etc::SourceList "/mnt/sources.list";
	Dir::Etc::SourceParts "/mnt/empty";
	APT::Install-Recommends "false";
	DPkg::Options { "--force-unsafe-io"; };
	E
} >"$H/apt.conf"
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
	cp -L /etc/ssl/certs/ca-certificates.crt "$H/ca.crt"
else
	sed -i '/CaInfo/d' "$H/apt.conf"
fi
chmod -R a+rX "$WORK/host"

run() {	# run CONTAINER SCRIPT
	bh run --isolation chroot --network host \
		--volume "$H:/mnt:ro" \
		--env APT_CONFIG=/mnt/apt.conf --env DEBIAN_FRONTEND=noninteractive \
		--env LC_ALL=C "$1" -- sh -euc "$2"
}

# ---- layer 1
debootstrap --variant=minbase "$SUITE" "$WORK/base" "$MIRROR" >"$WORK/debootstrap.log" 2>&1 ||
	{ tail -20 "$WORK/debootstrap.log" >&2; exit 1; }
B=$WORK/base
rm -rf "$B"/dev/* "$B"/run/* "$B"/tmp/* "$B"/var/lib/apt/lists/* \
	"$B"/var/cache/apt/*.bin "$B"/var/cache/apt/archives/*.deb "$B"/debootstrap \
	"$B"/var/log/bootstrap.log
# debootstrap copies these two from this system
: >"$B/etc/resolv.conf"
echo image >"$B/etc/hostname"
echo '# empty: see the build script' >"$B/etc/apt/sources.list"

c=$(bh from scratch)
m=$(bh mount "$c")
cp -a "$B/." "$m/"
bh umount "$c" >/dev/null
bh config --cmd /bin/sh --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$c"
bh commit --quiet --format oci --rm "$c" layer1 >/dev/null
rm -rf "$B"

# ---- layer 2
c=$(bh from --pull-never layer1)
run "$c" "
	apt-get -q update
	apt-get -q -y install $PACKAGES
	apt-get clean
	rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
	getcap /bin/ping
" >"$WORK/layer2.log" 2>&1 || { tail -20 "$WORK/layer2.log" >&2; exit 1; }
bh commit --quiet --format oci --rm "$c" layer2 >/dev/null

# ---- layer 3
c=$(bh from --pull-never layer2)
run "$c" '
	rm -rf /usr/share/doc /usr/share/info		# gone
	rm -rf /usr/share/locale			# deleted and made again
	mkdir /usr/share/locale
	echo none >/usr/share/locale/README
	rm -rf /usr/share/man && mkdir /usr/share/man	# ... and left empty
	find /usr/share/zoneinfo -type f -name "[A-M]*" -delete 2>/dev/null || :
	rm /etc/issue /etc/motd /etc/debian_version 2>/dev/null || :
	rm /etc/issue.net && mkdir /etc/issue.net	# file to directory
	echo x >/etc/issue.net/inside
	rm -rf /etc/skel && echo file >/etc/skel	# directory to file
	rm -rf /media && ln -s mnt /media		# directory to symbolic link
	chmod 0711 /srv					# mode only
	chown 1000:1000 /home				# owner only
	touch -d @1000000000 /opt			# mtime only
	ln /bin/ls /usr/local/bin/ls-link		# hard link to a lower file
'
bh commit --quiet --format oci --rm "$c" layer3 >/dev/null

# ---- layer 4
c=$(bh from --pull-never layer3)
run "$c" '
	mkdir -p /usr/share/doc/again
	echo again >/usr/share/doc/again/README
	echo again >/etc/issue
	rm -r /etc/issue.net && echo file >/etc/issue.net
	mkdir -p /opt/test/empty
	ln -s ../share /opt/test/dangling
	mkfifo /opt/test/fifo
	i=0; while [ $i -lt 200 ]; do echo $i >/opt/test/f$i; i=$((i+1)); done
'
bh commit --quiet --format oci --rm "$c" layer4 >/dev/null

# ---- OCI layout
rm -rf "$OUT"
mkdir -p "$(dirname "$OUT")"
bh push --quiet --format oci --compression-format gzip layer4 "oci:$OUT:latest" >/dev/null
echo "$OUT:latest"
