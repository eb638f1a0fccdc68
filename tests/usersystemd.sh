# Run a command beside a systemd --user of its own, in a home of its own: as root, on Linux.
#
#     unshare --mount --pid --fork --kill-child --mount-proc sh usersystemd.sh HOME COMMAND...
#
# Everything is gone with the name spaces that it runs in, save an empty group of processes, which
# is deleted at the end.
set -e
export HOME="$1" XDG_RUNTIME_DIR="$1/run" XDG_CONFIG_HOME="$1/config"
shift
unset DBUS_SESSION_BUS_ADDRESS
mkdir -p "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME"
mount -t tmpfs tmpfs /run/systemd
mkdir /run/systemd/system  # says that the system was booted with systemd
mount -t cgroup2 cgroup2 /sys/fs/cgroup
group=/sys/fs/cgroup/antithesis-$(basename "$HOME")
mkdir "$group"
echo $$ > "$group/cgroup.procs"
/lib/systemd/systemd --user --log-target=console > "$HOME/systemd.log" 2>&1 &
manager=$!
until [ -S "$XDG_RUNTIME_DIR/systemd/private" ]; do
    kill -0 $manager
    sleep 0.05
done
status=0
"$@" || status=$?
kill $manager
wait $manager || true
echo $$ > /sys/fs/cgroup/cgroup.procs
find "$group" -depth -type d -exec rmdir {} +
exit $status
