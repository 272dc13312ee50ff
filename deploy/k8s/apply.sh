#!/usr/bin/env bash
# deploy/k8s/apply.sh <small|large|the folder of your own overlay> <image>: brings a cluster to this release. Servers first,
# then the migration, and the processes only when it has finished: the old ones serve meanwhile, and go on if it fails.
set -euo pipefail
overlay=${1:?small, large, or the folder of an overlay} image=${2:?the image, with its tag}
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ -d "$overlay" ] || overlay=$here/overlays/$overlay
kubectl kustomize "$overlay" | sed "s#image: tardigrade\$#image: $image#" > "$work/all.yaml"
# What the manifests say holds: a field that somebody has changed by hand is set back. What they leave open stays, such as
# the replicas of an autoscaler.
apply() { kubectl apply --server-side --force-conflicts --namespace=tardigrade "$@"; }
apply_named() { apply --filename="$work/all.yaml" --selector="app.kubernetes.io/name in ($1)"; }

kubectl create namespace tardigrade --dry-run=client --output=yaml | apply --filename=-
# A pod that asks for more than the strictest profile allows is refused, and its Deployment is warned about here.
kubectl label --overwrite namespace/tardigrade pod-security.kubernetes.io/enforce=restricted pod-security.kubernetes.io/warn=restricted
apply_named 'tardigrade, postgres, pooler-rw, pooler-ro, valkey, valkey-primary'
kubectl wait --namespace=tardigrade --for=condition=Ready cluster/postgres --timeout=10m
apply --filename="$here/rules"

# A Job cannot be changed: the one of the last release goes.
kubectl delete --namespace=tardigrade job/migrate --ignore-not-found
apply_named migrate
# `kubectl wait` knows one condition at a time: for `complete` it would sit out its hour when the Job has failed. The Job
# has a deadline of its own, after which it has failed.
ended=
until [[ $ended =~ Complete|Failed ]]; do
  sleep 1
  ended=$(kubectl get --namespace=tardigrade job/migrate --output=jsonpath='{.status.conditions[?(@.status=="True")].type}')
done
if [[ $ended != *Complete* ]]; then
  kubectl logs --namespace=tardigrade --selector=job-name=migrate --prefix --tail=20 || true
  echo "The migration has not finished: the processes of the last release go on." >&2
  exit 1
fi

apply_named 'api, chat, mailer'
for process in api chat mailer; do
  kubectl rollout status --namespace=tardigrade "deployment/$process" --timeout=10m
done
