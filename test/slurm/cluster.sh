#!/usr/bin/env bash
# cluster.sh DIRECTORY COMMAND…: runs a command beside a Slurm cluster of one node with two cores, in
# namespaces of its own (network, processes, mounts) that end with the command. Needs Debian's
# slurm-wlm, and root: its daemons give up groups, which a user namespace does not let them.
set -euo pipefail
if [ "${1:-}" != --inside ]; then
  exec unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside "$@"
fi
shift
export PATH=$PATH:/usr/sbin:/sbin
mkdir -p "$1"
directory=$(realpath "$1")
shift
host=$(hostname -s)
# Slurm listens where the machine has an address that is not of loopback, and looks its name up.
ip link set lo up
ip address add 192.0.2.1/32 dev lo
printf '127.0.0.1 localhost\n192.0.2.1 %s\n' "$host" >"$directory/hosts"
mount --bind "$directory/hosts" /etc/hosts

# The paths of its sockets must be short, and its files nobody else's.
mkdir -p -m 700 "$directory/state" "$directory/spool" "$directory/munge"
dd if=/dev/urandom of="$directory/munge/key" bs=1024 count=1 status=none
chmod 400 "$directory/munge/key"
munge=(--key-file="$directory/munge/key" --socket="$directory/munge/socket" --pid-file="$directory/munge/pid")
munge+=(--log-file="$directory/munge/log" --seed-file="$directory/munge/seed" --force)
munged "${munge[@]}" 2>>"$directory/munge/log"

cat >"$directory/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=$host(192.0.2.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$directory/munge/socket
CredType=cred/munge
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/spool
SlurmctldPidFile=$directory/slurmctld.pid
SlurmdPidFile=$directory/slurmd.pid
SlurmctldLogFile=$directory/slurmctld.log
SlurmdLogFile=$directory/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=0,sched_interval=1,batch_sched_delay=0
EpilogMsgTime=0
KillWait=1
ReturnToService=2
NodeName=$host NodeAddr=192.0.2.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
export SLURM_CONF=$directory/slurm.conf
slurmctld
# The node does not see what the folder `apart` of the others holds.
mkdir -p "$directory/apart"
unshare --mount sh -c "mount -t tmpfs none '$directory/apart' && exec slurmd"
for _ in $(seq 100); do
  [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && break
  sleep 0.1
done
"$@"
