"""transformers_rate.py DIRECTORY THREADS: tokens/s of transformers in bf16, 8 windows of 512 tokens through all layers, without the head;
the median of three runs behind one to warm up."""
import statistics, sys, time

import torch, transformers

torch.set_num_threads(int(sys.argv[2]))
model = transformers.AutoModel.from_pretrained(sys.argv[1], dtype=torch.bfloat16).eval()
ids = torch.randint(0, 256, (8, 512))
rates = []
with torch.inference_mode():
    for run in range(4):
        start = time.monotonic()
        model(ids, use_cache=False)
        if run:
            rates.append(ids.numel() / (time.monotonic() - start))
print(f"{statistics.median(rates):.1f}")
