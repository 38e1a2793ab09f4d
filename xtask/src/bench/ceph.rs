//! Ceph's S3 endpoint, RGW: a real server, with one monitor, one manager and
//! one store in memory behind it.
//!
//! It serves files that are put into it over S3. What a script must hold of an
//! endpoint (delays, a million objects made in an instant) only ours can.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::Options;
use super::peers::Peers;
use super::programs::said_by;
use super::storage::{BUCKET, KEY, SECRET};
use crate::place::Place;
use crate::{Result, debian, shell};

const CONFIGURATION: &str = "
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon cluster mode = crc
ms mon service mode = crc
ms cluster mode = crc
ms client mode = crc
ms service mode = crc
osd objectstore = memstore
memstore device bytes = 8589934592
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon data avail crit = 0
mon data avail warn = 0
";

/// Starts everything in the folder `$1`, with the configuration `$2` and the
/// ports `$3` and `$4`, and says when it answers; ends it and removes the
/// folder when its standard input ends.
const KEEPER: &str = r#"
trap '' HUP INT TERM
all=
mkdir "$1" "$1/mon" "$1/mgr" "$1/osd" && cd "$1" || exit 1
begin() {
    cluster=$(cat /proc/sys/kernel/random/uuid)
    store=$(cat /proc/sys/kernel/random/uuid)
    {
        printf '[global]\nfsid = %s\nmon host = [v2:127.0.0.1:%s]\n%s\n' "$cluster" "$3" "$2"
        printf 'mon data = %s/mon\nmgr data = %s/mgr\nosd data = %s/osd\n' "$1" "$1" "$1"
        printf 'log file = %s/$name.log\nadmin socket = %s/$name.asok\n' "$1" "$1"
        printf 'run dir = %s\nkeyring = %s/keyring\n' "$1" "$1"
    } >ceph.conf
    : >keyring
    export CEPH_CONF="$1/ceph.conf"
    monmaptool --create --fsid "$cluster" --addv a "[v2:127.0.0.1:$3]" monmap &&
        ceph-mon -i a --mkfs --monmap monmap --keyring /dev/null || return 1
    ceph-mon -f -i a &
    all="$all $!"
    ceph --connect-timeout 60 status || return 1
    ceph-mgr -f -i x &
    all="$all $!"
    ceph osd new "$store" && ceph-osd -i 0 --mkfs --osd-uuid "$store" || return 1
    ceph-osd -f -i 0 &
    all="$all $!"
    radosgw -f -n client.rgw --rgw-frontends "beast endpoint=127.0.0.1:$4 tcp_nodelay=1" &
    all="$all $!"
    timeout 120 radosgw-admin user create --uid bench --display-name bench \
        --access-key "$5" --secret "$6"
}
exec 3>&1
if begin "$@" >log 2>&1 </dev/null; then
    echo ready >&3
    read -r _
fi
exec 3>&-
kill -KILL $all 2>/dev/null
wait
cd /
rm -rf "$1"
"#;

/// A running cluster.
pub(super) struct Ceph {
    keeper: Child,
    /// Such as `http://127.0.0.1:40123`.
    pub(super) address: String,
}

impl Ceph {
    /// Starts a cluster; returns when its S3 endpoint answers.
    ///
    /// # Errors
    ///
    /// When its programs do not start.
    pub(super) fn start() -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("decant-ceph-{}", std::process::id()));
        let (monitor, gateway) = (super::free_port()?, super::free_port()?);
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(&folder)
            .args([CONFIGURATION, &monitor.to_string(), &gateway.to_string(), KEY, SECRET])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("/bin/sh: {error}"))?;
        let mut said = String::new();
        if let Some(output) = keeper.stdout.take() {
            BufReader::new(output).read_line(&mut said).map_err(|error| error.to_string())?;
        }
        let started = Self { keeper, address: format!("http://127.0.0.1:{gateway}") };
        if said.trim() == "ready" { Ok(started) } else { Err("Ceph does not start".to_owned()) }
    }

    /// Puts files, and the files of folders, into the bucket.
    pub(super) fn put(&self, place: &Place, peers: &Peers, paths: &[String]) -> Result<()> {
        if let Some(lacks) = peers.lacks(&["s3fs"]) {
            return Err(lacks);
        }
        let mut command = peers.python("crates/bench/peers/put.py", place);
        super::storage::tell(&self.address, &mut command);
        shell::read(command.arg(BUCKET).args(paths)).map(drop)
    }

    /// The process whose children are the cluster.
    pub(super) fn keeper(&self) -> u32 {
        self.keeper.id()
    }
}

/// Ceph's version, where its endpoint is wanted and can be had; why not is
/// said.
pub(super) fn version(place: &Place, options: &Options, peers: &Peers) -> Option<String> {
    if options.ours {
        return None;
    }
    let lacks = debian::install(place, &[debian::CEPH]).err().or_else(|| peers.lacks(&["s3fs"]));
    match lacks {
        None => Some(said_by("radosgw", &["--version"])),
        Some(why) => {
            println!("bench: the S3 endpoint is our own: {why}");
            None
        }
    }
}

impl Drop for Ceph {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
