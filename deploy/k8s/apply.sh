#!/usr/bin/env bash
# deploy/k8s/apply.sh <small|large> <image>: brings a cluster to this release. Servers first, then the migration, and the
# processes only when it has finished: the old ones serve meanwhile, and go on if it fails.
set -euo pipefail
size=${1:?small or large} image=${2:?the image, with its tag}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kubectl kustomize "$here/overlays/$size" | sed "s#image: tardigrade\$#image: $image#" > "$work/all.yaml"
apply() { kubectl apply --namespace=tardigrade --filename="$work/all.yaml" --selector="$1"; }

kubectl create namespace tardigrade --dry-run=client --output=yaml | kubectl apply --filename=-
apply 'app.kubernetes.io/name in (tardigrade, postgres, pooler-rw, pooler-ro, valkey, valkey-primary)'
kubectl wait --namespace=tardigrade --for=condition=Ready cluster/postgres --timeout=10m
kubectl apply --namespace=tardigrade --filename="$here/rules"

# A Job cannot be changed: the one of the last release goes.
kubectl delete --namespace=tardigrade job/migrate --ignore-not-found
apply 'app.kubernetes.io/name=migrate'
if ! kubectl wait --namespace=tardigrade --for=condition=complete job/migrate --timeout=1h; then
  kubectl logs --namespace=tardigrade job/migrate
  echo "The migration has not finished: the processes of the last release go on." >&2
  exit 1
fi

apply 'app.kubernetes.io/name in (api, chat, mailer)'
for process in api chat mailer; do
  kubectl rollout status --namespace=tardigrade "deployment/$process" --timeout=10m
done
