#!/bin/bash
# Makes a new Debian into a machine for the product; run again, it changes what differs. As root:
#   ./setup.sh --api=https://app.example.com --chat=https://chat.example.com --from="Acme <hello@example.com>" --smtp=smtps://…
# --operators=you@example.com: who may see the operations page, by the address that they sign in with; several with commas.
# --alerts=you@example.com: who gets a mail when something needs attention (docs/alerts.md); several with commas.
# --smtp=- reads the address of the mail server from standard input, so that its password is in no list of processes.
set -euo pipefail
cd "$(dirname "$0")"

declare -A given=()
for argument in "$@"; do
  [[ $argument =~ ^--(api|chat|from|smtp|operators|alerts|caddy-global)=(.+)$ ]] || { echo "What is $argument? See the head of $0." >&2; exit 64; }
  given[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]}
done
for needed in api chat from smtp; do
  [[ -n ${given[$needed]:-} ]] || { echo "--$needed=… is missing. See the head of $0." >&2; exit 64; }
done
if [[ ${given[smtp]} == - ]]; then read -r given[smtp]; fi

export DEBIAN_FRONTEND=noninteractive
# The last two are what Node itself loads; a Debian without a compiler need not have them.
packages=(postgresql-18 valkey-server caddy libatomic1 libstdc++6)
if ! dpkg --status "${packages[@]}" >/dev/null 2>&1; then
  apt-get update --quiet
  apt-get install --yes --quiet --no-install-recommends "${packages[@]}"
fi

getent passwd tardigrade >/dev/null || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin tardigrade
install -d -m 0755 /opt/tardigrade/releases /opt/tardigrade/node /etc/tardigrade
install -d -m 0700 /etc/tardigrade/credentials
install -m 0755 tardigrade-release /usr/local/sbin/

# Secrets: made once, encrypted with this machine's key (and its TPM, if it has one), readable by their unit alone.
keep() { # keep NAME, with the value on standard input
  local file=/etc/tardigrade/credentials/$1
  [[ -e $file ]] || { systemd-creds encrypt --name="$1" - "$file.new" && mv "$file.new" "$file"; }
}
random() { head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
if [[ ! -e /etc/tardigrade/credentials/DATABASE_URL ]]; then
  owner=$(random) worker=$(random) redis=$(random)
  # From standard input: an argument would be in the list of processes.
  { printf '\\set owner %s\n\\set worker %s\n' "$owner" "$worker"; cat roles.sql
    printf "alter role tardigrade password '%s'; alter role tardigrade_worker password '%s';\n" "$owner" "$worker"
    printf 'grant pg_read_all_stats to tardigrade_worker with inherit true;\n'
  } | setpriv --reuid=postgres --regid=postgres --init-groups psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 postgres
  install -m 0640 -o valkey -g valkey valkey.conf /etc/valkey/nano.conf
  printf 'requirepass %s\n' "$redis" >> /etc/valkey/nano.conf
  printf 'postgres://tardigrade:%s@127.0.0.1:5432/tardigrade' "$owner" | keep DATABASE_MIGRATE_URL
  printf 'redis://:%s@127.0.0.1:6379' "$redis" | keep REDIS_URL
  printf '%s%s' "$(random)" "$(random)" | keep SECRET_KEY
  # The last one, because it says that all are there.
  printf 'postgres://tardigrade_worker:%s@127.0.0.1:5432/tardigrade' "$worker" | keep DATABASE_URL
fi
rm -f /etc/tardigrade/credentials/SMTP_URL
printf '%s' "${given[smtp]}" | keep SMTP_URL
setting() { printf '%s="%s"\n' "$1" "${2//\"/\\\"}"; }
{
  setting API_URL "${given[api]}"
  setting CHAT_URL "${given[chat]}"
  setting MAIL_FROM "${given[from]}"
  setting OPERATORS "${given[operators]:-}"
  setting ALERT_MAIL_TO "${given[alerts]:-}"
  setting CADDY_GLOBAL "${given[caddy-global]:-}"
  # One process for everything; the connection budget counts it.
  printf '%s\n' API_INSTANCES=0 CHAT_INSTANCES=0 MAILER_INSTANCES=0 ALL_INSTANCES=1
} > /etc/tardigrade/environment

install -m 0644 postgresql.conf /etc/postgresql/18/main/conf.d/nano.conf
grep -q '^include /etc/valkey/nano.conf' /etc/valkey/valkey.conf || echo 'include /etc/valkey/nano.conf' >> /etc/valkey/valkey.conf
install -m 0644 Caddyfile /etc/caddy/Caddyfile
install -m 0644 'tardigrade@.service' tardigrade-migrate.service /etc/systemd/system/
for unit in postgresql@ valkey-server caddy; do
  install -D -m 0644 "limits-${unit%%[@-]*}.conf" "/etc/systemd/system/$unit.service.d/limits.conf"
done
systemctl daemon-reload
systemctl enable --quiet postgresql valkey-server caddy tardigrade@all
systemctl restart postgresql valkey-server caddy
echo "Ready. Now, in the project: npm run deploy -- root@$(hostname)"
