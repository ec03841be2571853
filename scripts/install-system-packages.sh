#!/usr/bin/env bash
# Debian packages that some tests, and examples of the documentation, use. Without apt or root those tests skip and name what is missing.
set -euo pipefail
packages=()
need() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || packages+=("$2"); }
need nats-server nats-server
need ovs-vswitchd openvswitch-switch
need iperf3 iperf3
need strace strace
need unshare util-linux
need ethtool ethtool
need tc iproute2
need chromium chromium
need curl curl
need openssl openssl
[ ${#packages[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
  echo "not installed, tests that need them will skip: ${packages[*]}" >&2
  exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# A service must not start by itself: tests start their own, on ports and paths of their own.
policy=/usr/sbin/policy-rc.d
made=""
if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; made=1; fi
trap '[ -z "$made" ] || rm -f "$policy"' EXIT
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
