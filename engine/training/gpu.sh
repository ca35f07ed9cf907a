#!/usr/bin/env bash
# What a machine with an NVIDIA GPU is wanted for, what matters most first: the bench's rows with ViT-B/32, the tests
# that need a GPU, a show's latency and cadence, the other rows, and, if minutes are given for it, a longer training.
#
#   engine/training/gpu.sh [FOLDER FOR THE RESULTS] [MINUTES OF TRAINING] [DEVICE]
#
# Run it in a checkout with the packages installed; `.venv/bin` must come first in PATH. Nothing is downloaded: guides
# that are not shipped have random weights, which take the same time. FOLDER/table.md is the table; a run that failed
# is a row that says so, and its words are in FOLDER/*.log. Training needs the glyph cache
# training-runs/cache (glyphs-*.pt) where the emoji font is not installed.
# With LIMIT=SECONDS in its environment it begins nothing that would not end by then. Called again with the same
# folder it goes on: what succeeded is not done again.
# DEVICE cpu tries the script itself where there is no GPU, with few repeats and small settings.
set -u
out=${1:-gpu-results}
minutes=${2:-0}
device=${3:-cuda}
limit=${LIMIT:-1000000}
hd=1280x720 sixteen_nine="640x360 1920x1080" steps=10 crops=4 repeats=8
if [ "$device" = cpu ]; then hd=128x72 sixteen_nine=64x64 steps=1 crops=2 repeats=1; fi
mkdir -p "$out"
rows=""

b32=random:ViT-B-32
b16=random:ViT-B-16

say() { echo "gpu.sh: ${SECONDS} s: $*" >&2; }

# begins FILE SECONDS: whether this is to be done now, which takes so long at most.
begins() {
  if [ -s "$1" ]; then return 1; fi
  if [ $((SECONDS + $2)) -gt "$limit" ]; then
    say "$1 is left for the next time"
    return 1
  fi
  say "$1"
}

# row NAME SECONDS OPTIONS: one row of the table. The canvas is shown as it is: upscale=1.
row() {
  name=$1 longest=$2
  shift 2
  if [ ! -s "$out/$name.json" ]; then
    begins "$out/$name.json" "$longest" || return 0
    timeout "$longest" python -m vj bench engine --json --device "$device" --steps "$steps" --crops "$crops" \
      --repeats "$repeats" --set upscale=1 "$@" >"$out/$name.part" 2>"$out/$name.log" &&
      mv "$out/$name.part" "$out/$name.json" || say "$name failed: $(tail -n 1 "$out/$name.log")"
  fi
  rows="$rows $name.json"
}

# compiled NAME SECONDS OPTIONS: the same where there is a GPU to compile for.
compiled() { if [ "$device" = cuda ]; then row "$@"; fi; }

{ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || echo "no NVIDIA GPU"; } \
  2>/dev/null | tee "$out/gpu.txt"

row b32 90 --guide "$b32" --size "$hd" --profile "$out/b32-profile.txt"
compiled b32-compiled 180 --guide "$b32" --size "$hd" --compile default --profile "$out/b32-compiled-profile.txt"
compiled b32-tuned 280 --guide "$b32" --size "$hd" --compile max-autotune-no-cudagraphs \
  --profile "$out/b32-tuned-profile.txt"

if begins "$out/tests.txt" 240; then
  timeout 240 python -m pytest -q tests/test_engine_cuda*.py tests/test_engine_steps.py tests/test_engine_written.py \
    tests/test_engine_compiled.py tests/test_engine_fused.py tests/test_guide_*.py >"$out/tests.log" 2>&1 && mv "$out/tests.log" "$out/tests.txt"
  say "tests: $(cat "$out"/tests.* | tail -n 1)"
fi

# show NAME OPTIONS: latency and cadence of a show.
show() {
  name=$1
  shift
  begins "$out/$name.json" 200 || return 0
  timeout 200 python -m vj bench latency cadence --json --device cuda --size "$hd" "$@" \
    >"$out/$name.part" 2>"$out/$name.log" && mv "$out/$name.part" "$out/$name.json" ||
    say "$name failed: $(tail -n 1 "$out/$name.log")"
}

if [ "$device" = cuda ]; then show show; fi
row shipped 60 --guide shipped --size "$hd" --profile "$out/shipped-profile.txt"
compiled shipped-compiled 150 --guide shipped --size "$hd" --compile default
compiled b32-6gb 60 --guide "$b32" --size "$hd" --vram 6
for size in $sixteen_nine; do
  row "b32-$size" 60 --guide "$b32" --size "$size"
  row "shipped-$size" 60 --guide shipped --size "$size"
done
row b16-b32 90 --guide "$b16+$b32" --size "$hd"
row mobileclip2-s0 90 --guide random:MobileCLIP2-S0 --size "$hd"
row shipped-live 60 --guide shipped --steps 2 --set upscale=2

# shellcheck disable=SC2086 # the names hold no spaces
(cd "$out" && PYTHONPATH="$OLDPWD${PYTHONPATH:+:$PYTHONPATH}" python -m engine.bench.table $rows) >"$out/table.md"
cat "$out/table.md"

if [ "$minutes" != 0 ]; then
  python -m engine.training.guide --device cuda --batch 512 --rate 2e-3 --minutes "$minutes" --out "$out/guide.safetensors" |
    tee "$out/training.log"
  python -m engine.training.sheet --guide "$out/guide.safetensors" --out "$out/sheet.png"
fi
