#!/bin/sh
# The first process of the bare container: make its places, forbid user namespaces, drop capabilities, run one script.
# Called by bare.py in namespaces of its own: inside.sh ROOT PLACE SCRIPT [NAME=VALUE ...]
set -eu
root=$1 place=$2 script=$3
shift 3

mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o size=64k,mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/dev/shm"

# Counts for this namespace and those below it; the machine keeps its own limit.
echo 0 >/proc/sys/user/max_user_namespaces

# Docker's default set. Inheritable ones would pass to the programs of an ordinary user.
kept=chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,audit_write,setfcap
kept="-all,+$(echo "$kept" | sed 's/,/,+/g')"

# Not by exec: the first process of a namespace must stay one that reaps what others leave.
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb "$@" \
    setpriv --bounding-set "$kept" --inh-caps=-all sh -c "cd '/$place' && $script"
