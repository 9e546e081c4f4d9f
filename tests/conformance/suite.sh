# What the scripts beside it share: where things lie, fetching a Debian source
# package without root and without touching /etc/apt, and saying that a suite did not run.
# To be sourced, after `suite=NAME`.

set -euo pipefail
exec </dev/null
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
target="${CARGO_TARGET_DIR:-$here/../../target}"
mkdir -p "$target/conformance"
target="$(cd "$target" && pwd)"
store="$target/conformance"

# The suite says nothing about the server: plainly, and as a failure unless POSTKLUIS_SUITES=optional.
not_run() {
    printf 'NOT RUN: %s: %s\n' "$suite" "$1"
    [ "${POSTKLUIS_SUITES:-}" = optional ] && exit 0
    exit 69
}

# locate PACKAGE: sets $archive and $version from what was fetched, if it was whole.
locate() {
    local dsc
    dsc="$(find "$store" -maxdepth 1 -name "$1_*.dsc" | sort -V | tail -n 1)"
    [ -n "$dsc" ] || return 1
    version="$(basename "$dsc" .dsc)"
    version="${version#*_}"
    archive="$store/$(sed -n 's/.* \([^ ]*\.orig\.tar\.[a-z0-9]*\)$/\1/p' "$dsc" | head -n 1)"
    [ -f "$archive" ]
}

# fetch PACKAGE: its upstream archive in $store, checked by apt against Debian's signatures.
fetch() {
    local package="$1" apt="$store/apt"
    locate "$package" && return
    command -v apt-get >/dev/null || not_run "apt-get is needed to fetch the source package $package"
    local options=(
        -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o Dir::Etc::sourcelist=/dev/null
        -o "Dir::Etc::sourceparts=$apt/parts" -o "APT::Sandbox::User=$(id -un)" -o Acquire::Retries=2
    )
    (
        flock 9
        mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/parts"
        # the machine's own sources, asked for source packages
        cat /etc/apt/sources.list.d/*.sources 2>/dev/null |
            sed 's/^Types:.*/Types: deb-src/' >"$apt/parts/machine.sources" || true
        cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
            sed -n 's/^deb \(.*\(debian\|ubuntu\).*\)/deb-src \1/p' >"$apt/parts/machine.list" || true
        cd "$store"
        timeout 120 apt-get "${options[@]}" update >"$apt/log" 2>&1 || true
        timeout 120 apt-get "${options[@]}" source --download-only "$package" >>"$apt/log" 2>&1
    ) 9>"$store/fetch.lock" && locate "$package" && return
    tail -n 5 "$apt/log" >&2
    not_run "the source package $package cannot be fetched"
}

# The server under test, from the argument or built here.
server_under_test() {
    server="${1:-}"
    if [ -z "$server" ]; then
        (cd "$here/../.." && cargo build --locked --quiet --features conformance --bin sftp-stdio)
        server="$target/debug/sftp-stdio"
    fi
    [ -x "$server" ] || { echo "$suite: $server cannot be run" >&2; exit 2; }
}

# A folder that a user without rights may use, with the server in it; sets $desk.
desk() {
    desk="$(mktemp -d "${TMPDIR:-/tmp}/postkluis-suite.XXXXXX")"
    trap 'rm -rf "$desk"' EXIT
    cp "$server" "$desk/sftp-server"
}

# as_user COMMAND...: in $desk, and not as root, for whom no permission is ever denied.
as_user() {
    cd "$desk"
    if [ "$(id -u)" -eq 0 ]; then
        command -v setpriv >/dev/null || not_run "setpriv (util-linux) is needed to run it as another user than root"
        chown -R nobody "$desk"
        setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups -- env HOME="$desk" "$@"
    else
        env HOME="$desk" "$@"
    fi
}
