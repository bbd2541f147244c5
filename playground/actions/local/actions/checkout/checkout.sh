#!/usr/bin/env bash
# Leaves a repository as actions/checkout leaves it: `origin/<branch>` is the run's commit afterwards,
# also where the branch has moved on since.
set -euo pipefail

folder=$(realpath --canonicalize-missing "$GITHUB_WORKSPACE/$FOLDER")
case "$folder/" in
"$(realpath "$GITHUB_WORKSPACE")"/*) ;;
*)
  echo "::error::Repository path '$folder' is not under '$GITHUB_WORKSPACE'"
  exit 1
  ;;
esac

ref=$REF commit=
if [ -z "$ref" ] && [ "$REPOSITORY" = "$GITHUB_REPOSITORY" ]; then
  ref=$GITHUB_REF commit=$GITHUB_SHA
elif [[ $ref =~ ^[0-9a-f]{40}$ ]]; then
  commit=$ref ref=
fi

mkdir -p "$folder"
find "$folder" -mindepth 1 -delete
cd "$folder"
git init --quiet --initial-branch=main
git config --local gc.auto 0
git remote add origin "$GITHUB_SERVER_URL/$REPOSITORY"
login="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)"
git config --local http.extraheader "$login"

if [ "$DEPTH" = 0 ]; then
  git fetch --quiet origin '+refs/heads/*:refs/remotes/origin/*' '+refs/tags/*:refs/tags/*'
  depth=()
else
  depth=(--no-tags --depth="$DEPTH")
fi

# Fetched as GitHub's own action fetches: by commit, under the name that the ref has here.
case "$ref" in
refs/heads/*) branch=${ref#refs/heads/} local=refs/remotes/origin/${ref#refs/heads/} ;;
refs/pull/*) branch='' local=refs/remotes/${ref#refs/} ;;
refs/tags/*) branch='' local=$ref ;;
'') branch='' local=refs/remotes/origin/sciclops-commit ;;
*) branch=$ref local=refs/remotes/origin/$ref ref=refs/heads/$ref ;;
esac
git fetch --quiet "${depth[@]}" origin "+${commit:-$ref}:$local"

if [ -n "$branch" ]; then
  git checkout --quiet --force -B "$branch" "$local"
else
  git checkout --quiet --force --detach "$local"
fi
[ "$PERSIST" = true ] || git config --local --unset http.extraheader
git rev-parse HEAD
