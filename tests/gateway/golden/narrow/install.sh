#!/bin/sh
# Installs the Nurt gateway agent for narrow: run as root in this folder, beside the nurt-*.whl file.
# Run again, it upgrades the program and leaves settings, password and spool as they are.
set -eu

cd "$(dirname "$0")"
[ "$(id -u)" -eq 0 ] || { echo "install.sh: run it as root" >&2; exit 1; }
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "install.sh: Python 3.11 or newer is needed" >&2; exit 1; }
wheel=$(ls nurt-*.whl 2>/dev/null | tail -n 1)
[ -n "$wheel" ] || { echo "install.sh: put nurt-<version>-py3-none-any.whl beside it" >&2; exit 1; }

id nurt-agent >/dev/null 2>&1 || useradd --system --home-dir /var/lib/nurt-agent --shell /usr/sbin/nologin nurt-agent
install -d -m 0750 -o root -g nurt-agent /etc/nurt-agent
[ ! -e ca.pem ] || install -m 0644 ca.pem /etc/nurt-agent/ca.pem
[ -e /etc/nurt-agent/agent.toml ] || install -m 0640 -o root -g nurt-agent agent.toml /etc/nurt-agent/agent.toml

if [ ! -e /etc/nurt-agent/password ]; then
  printf 'Password of narrow at the broker: '
  trap 'stty echo' EXIT
  stty -echo
  read -r password
  stty echo
  trap - EXIT
  echo
  (umask 077; printf '%s\n' "$password" > /etc/nurt-agent/password)
  chown root:nurt-agent /etc/nurt-agent/password
  chmod 0640 /etc/nurt-agent/password
fi

[ -x /opt/nurt-agent/bin/python ] || python3 -m venv /opt/nurt-agent
/opt/nurt-agent/bin/python -m pip install --quiet --upgrade "./$wheel[gateway]"
/opt/nurt-agent/bin/nurt gateway check --config /etc/nurt-agent/agent.toml

install -m 0644 nurt-agent.service /etc/systemd/system/nurt-agent.service
systemctl daemon-reload
systemctl enable --now nurt-agent.service
systemctl restart nurt-agent.service
echo "Running. journalctl -u nurt-agent -f shows what it says."
