#!/usr/bin/env python3
"""Makes tests/golden/tasks: small files in the shape of each task's public ones, and what the reference programs make of them.

    python3 make_tasks.py          (torch, transformers 5, lm_eval 0.4.13; needs no network)

All items are ours; each has a trap of its protocol in it: where the blank goes, blanks at a context's end, two blanks, pronouns that
begin a sentence, labels that are digits, quoted CSV, code points that are not bytes, texts longer than the model's positions.

tasks/NAME...    the files, as they are published
tasks.json       a list of {task, file, shots, model, bos, items}: items has for each item gold, requests (context and continuation as
                 strings), lls and greedy of each request, in f32. bos is "always" or "never".

Prompts and likelihoods of lm-evaluation-harness's tasks are the harness's own (its YAML files run on our rows, its HFLM). The tasks that
it lacks follow OpenCompass's PPL mode: the sum of log p over all tokens but the first, over the number of all tokens.
"""
import glob
import json
import os
import re

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
import lm_eval
import torch
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks._yaml_loader import load_yaml

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "tasks")
YAML = os.path.join(os.path.dirname(lm_eval.__file__), "tasks")
MODELS = [("tiny_llama", False), ("tiny_llama", True), ("tiny_llama_tied", True), ("tiny_llama_tied", False)]


def write(name, text):
    path = os.path.join(OUT, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(text)


def lines(rows):
    return "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows)


# ---- our items --------------------------------------------------------------------------------------------

HELLASWAG = [
    {"ind": 4, "activity_label": "Baking", "ctx_a": "A cook opens the oven.", "ctx_b": "the Cook TAKES", "label": 2,
     "endings": ["a nap.", "the bread  out, twice  over.", "the bread out.", "out the sun."]},
    {"ind": 9, "activity_label": "How to plant", "ctx_a": "[header] How to plant a tree [title] Dig a hole. [step] It is deep.",
     "ctx_b": "", "label": 0, "endings": ["[title] If it rains, wait.", "[step] Wait [not\nhere] a year.", "Süß ist der Apfel.", "层的影响 很大"]},
    {"ind": 11, "activity_label": "Rowing", "ctx_a": "Two people row.", "ctx_b": "éric waves", "label": "3",
     "endings": [" at the bank. ", "and sinks", "[substeps]", "to them all"]},
]
PIQA = [
    {"goal": "dry a shirt", "sol1": "hang it up ", "sol2": " hang it under water"},
    {"goal": "How do I open a door?", "sol1": "turn the handle", "sol2": "turn the handle twice and then wait until it opens"},
    {"goal": "café", "sol1": "is a place — with coffee", "sol2": "is a place  with cows"},
]
PIQA_LABELS = [0, 0, 1]
ARC = [ # the authors' shape, labels that are digits, three and five options
    {"id": "A1", "stem": "Which layer is removed?", "texts": ["the first", "the least", "all"], "labels": ["A", "B", "C"], "key": "B"},
    {"id": "A2", "stem": "What is read once?", "texts": ["weights", "text", "time", "tokens", "naïve"], "labels": list("ABCDE"), "key": "A"},
    {"id": "A3", "stem": "How many?", "texts": ["1", "12", "1,200", "120"], "labels": ["1", "2", "3", "4"], "key": "4"},
]
OBQA = [
    {"id": "o1", "stem": "The sun gives", "texts": ["light", "water", "rain", "a stone"], "labels": list("ABCD"), "key": "A"},
    {"id": "o2", "stem": "A stream turns because ", "texts": ["it is a stream", "of layers", "it", "of the next layer"], "labels": list("ABCD"), "key": " D"},
]
CSQA = [
    {"id": "c1", "question": " Where are tokens? ", "choices": {"label": list("ABCDE"), "text": ["text", "water", "a model", "trees", "none"]}, "answerKey": "A"},
    {"id": "c2", "question": "What is small?", "choices": {"label": list("ABCDE"), "text": ["a", "b", "c", "d", "e"]}, "answerKey": "E"},
]
WINOGRANDE = [
    {"qID": "w1", "sentence": "The layer did not fit the model because _ was too large.", "option1": "the layer", "option2": "the model", "answer": "1"},
    {"qID": "w2", "sentence": "_ came before the others,  and went.", "option1": "Ann", "option2": "Zoë", "answer": "2"},
    {"qID": "w3", "sentence": "He gave it to _ and then to _ again. ", "option1": "her", "option2": "them", "answer": "2"},
]
WSC273 = [
    {"text": "The layer is larger than the stream. It turns slowly.", "pronoun": "It", "pronoun_loc": 37, "options": ["The layer", "The stream"], "label": 0},
    {"text": "Ann told Zoë that  her stone was wet.", "pronoun": "her", "pronoun_loc": 18, "options": ["Ann", "Zoë"], "label": 1},
    {"text": "They liked the trees since they were tall.", "pronoun": "they", "pronoun_loc": 27, "options": ["The trees", "A Thing they had"], "label": 0},
    {"text": "It fell since it was old.", "pronoun": "It", "pronoun_loc": 0, "options": ["The wall", "the Roof"], "label": 0},
]
BOOLQ = [
    {"question": "is a layer a stream", "passage": "Layer -- A layer turns the stream a little.", "idx": 0, "label": False},
    {"question": "can it be removed", "passage": "Removal -- Some layers can be removed, others can't.", "idx": 1, "label": True},
]
WSC = [
    {"text": "The stone did n't fit in the box ( a small one ) because it was \" large \" , he said .", "target": {"span1_index": 1, "span1_text": "stone", "span2_index": 13, "span2_text": "it"}, "idx": 0, "label": True},
    {"text": "Ann  saw Zoë's dog when she ran .", "target": {"span1_index": 0, "span1_text": "Ann", "span2_index": 5, "span2_text": "she"}, "idx": 1, "label": "false"},
]
RACE = [ # a row for each question, articles mixed
    {"example_id": "r1", "article": "Tokens are read.", "question": "Tokens are  _  .", "options": ["read", "lost", "sold", "eaten"], "answer": "A"},
    {"example_id": "r2", "article": "It was small.", "question": "What was it?", "options": ["small", "large", "Größe", "none"], "answer": "A"},
    {"example_id": "r1", "article": "Tokens are read.", "question": "Who reads?", "options": ["we", "they", "no one", "it"], "answer": "D"},
    {"example_id": "r1", "article": "Tokens are read.", "question": "It is _ .", "options": ["over", "a text", "a  stone", "so"], "answer": "B"},
]
LAMBADA = [
    {"text": "The next layer turns it back, and the next layer turns it back"},
    {"text": "Weights are  read\n\nonce, whatever the"},
    {"text": "naïve café"},
]
MMLU = {
    "small_layers": [["Which is\na \"layer\"?", "one, two", "three", " four", "five", "0"], ["What  is 2+2? ", "1", "2", "3", "4", "D"]],
    "tokens": [["何 is it?", "a", "b", "c", "d", "2"]],
}
MMLU_DEV = {
    "small_layers": [["Is it?", "yes", "no", "so", "not", "1"], ["Was it?", "a", "b", "c", "d", "A"]],
    "tokens": [["T?", "q", "r", "s", "t", "3"], ["U?", "u", "v", "w", "x", "0"]],
}
CMMLU = {"anatomy": [["层是什么？", "一", "二", "三,四", "五", "C"], ["水", "a", "b", "c", "d", "B"]]}
CMMLU_DEV = {"anatomy": [["石？", "甲", "乙", "丙", "丁", "D"]]}
C3 = [
    [["女：层呢？", "男：没了。"], [{"question": "什么没了？", "choice": ["层", "水", "石"], "answer": "层"}], "1"],
    [["他来了。"], [{"question": "谁？", "choice": ["她", "他", "它", "他"], "answer": "他"}, {"question": "来吗？", "choice": ["来", "不"], "answer": "不"}], "2"],
]
CHID = [
    {"id": 3, "candidates": ["水", "石头", "层", "火", "风", "木", "土"], "content": "他说#idiom#，又#idiom#。", "answer": 2},
    {"id": 4, "candidates": ["一", "二", "三", "四", "五", "六", "七"], "content": "#idiom#人", "answer": 0},
]
NLI = [
    {"sentence1": "他来了", "sentence2": "他没来", "label": "contradiction"},
    {"sentence1": "水", "sentence2": "石", "label": "-"},
    {"sentence1": "层很小", "sentence2": "层", "label": "entailment"},
]
CLUEWSC = [{"target": {"span2_index": 3, "span1_index": 0, "span1_text": "石", "span2_text": "它"}, "idx": 5, "label": "true", "text": "石大，它重。"}]
GENERIC = [
    {"id": "g1", "context": "The stream turns \n", "choices": ["back", "on", " on"], "answer": 0},
    {"id": "g2", "context": "", "choices": ["A layer", "The layer"], "answer": 1},
    {"id": "g3", "context": "水", "choices": ["石", "层层"], "answer": 1, "delimiter": ""},
]

# ---- the published shapes ---------------------------------------------------------------------------------


def authors(row): # ARC's and OpenBookQA's
    return {"id": row["id"], "question": {"stem": row["stem"], "choices": [{"text": t, "label": l} for t, l in zip(row["texts"], row["labels"])]},
            "answerKey": row["key"]}


def quoted(field):
    return '"' + field.replace('"', '""') + '"' if re.search('[",\n]', field) else field


def csv(rows, ends="\n"):
    return "".join(",".join(quoted(f) for f in r) + ends for r in rows)


def write_all():
    write("hellaswag.jsonl", lines(HELLASWAG))
    write("piqa.jsonl", lines(PIQA))
    write("piqa-labels.lst", "".join(f"{l}\n" for l in PIQA_LABELS))
    write("arc.jsonl", lines(map(authors, ARC)))
    write("openbookqa.jsonl", lines(map(authors, OBQA)))
    write("commonsense_qa.jsonl", lines(CSQA))
    write("winogrande.jsonl", lines(WINOGRANDE))
    write("wsc273.jsonl", lines(WSC273))
    write("boolq.jsonl", lines(BOOLQ))
    google = [{"question": b["question"], "title": b["passage"].split(" -- ")[0], "answer": b["label"], "passage": b["passage"].split(" -- ")[1]} for b in BOOLQ]
    write("boolq_google.jsonl", lines(google))
    write("wsc.jsonl", lines(WSC))
    write("race.jsonl", lines(RACE))
    for a in race_articles():
        p = a["problems"]
        write(f"race/{a['id']}.txt", json.dumps({"answers": [q["answer"] for q in p], "options": [q["options"] for q in p],
                                                 "questions": [q["question"] for q in p], "article": a["article"], "id": a["id"]}))
    write("race_hf.jsonl", lines({"article": a["article"], "problems": repr(a["problems"])} for a in race_articles()))
    write("lambada_openai.json", json.dumps(LAMBADA))  # a list in place of lines
    for name, rows in MMLU.items(): # one subject without a row of headings, as the authors' files are, and with CR LF
        write(f"mmlu/test/{name}_test.csv", csv(rows, "\r\n") if name == "tokens" else csv([["question", "choice0", "choice1", "choice2", "choice3", "answer"]] + rows))
        write(f"mmlu/dev/{name}_dev.csv", csv(MMLU_DEV[name]))
    for split, files in (("test", CMMLU), ("dev", CMMLU_DEV)):
        for name, rows in files.items():
            write(f"cmmlu/{split}/{name}.csv", csv([["", "Question", "A", "B", "C", "D", "Answer"]] + [[str(i)] + r for i, r in enumerate(rows)]))
    write("c3.json", json.dumps(C3, ensure_ascii=False))
    write("chid.json", lines(CHID))
    write("nli.json", lines(NLI))
    write("cluewsc.json", lines(CLUEWSC))
    write("generic.jsonl", lines(GENERIC))


def race_articles():
    articles = {}
    for r in RACE:
        a = articles.setdefault(r["example_id"], {"id": r["example_id"], "article": r["article"], "problems": []})
        a["problems"].append({k: r[k] for k in ("question", "options", "answer")})
    return list(articles.values())


# ---- the harness ------------------------------------------------------------------------------------------


def harness_requests(yaml, rows, dev=None, shots=0):
    """What the harness would ask of each row, by its own YAML file: lists of (context, continuation)."""
    config = load_yaml(os.path.join(YAML, yaml))
    for key in ("group", "tag", "task_alias", "training_split", "validation_split", "test_split"):
        config.pop(key, None)
    files = {"test": "/tmp/make_tasks_rows.jsonl"}
    open(files["test"], "w").write("".join(json.dumps(r) + "\n" for r in rows))
    if dev:
        files["dev"] = "/tmp/make_tasks_dev.jsonl"
        open(files["dev"], "w").write("".join(json.dumps(r) + "\n" for r in dev))
    config.update(dataset_path="json", dataset_name=None, test_split="test", num_fewshot=shots,
                  dataset_kwargs={"data_files": files, "cache_dir": f"/tmp/make_tasks_cache/{os.urandom(8).hex()}"})
    task = ConfigurableTask(config=config)
    task.build_all_requests()
    items = []
    for instance in task.instances:
        if instance.idx == 0:
            items.append([])
        items[-1].append(list(instance.args))
    return items


class Pair: # what HFLM.loglikelihood takes
    def __init__(self, args):
        self.args = tuple(args)


def harness_scores(lm, items):
    flat = [Pair(r) for item in items for r in item]
    scores = iter(lm.loglikelihood(flat, disable_tqdm=True))
    return [[next(scores) for _ in item] for item in items]


# ---- OpenCompass ------------------------------------------------------------------------------------------


def ppl_scores(lm, items):
    out = []
    for item in items:
        out.append([])
        for _, text in item:
            ids = lm.tok_encode(text)[:lm.max_length]  # a base model is cut on the right
            with torch.no_grad():
                logp = torch.log_softmax(lm.model(torch.tensor([ids])).logits[0].float(), -1)
            total = sum(logp[i, ids[i + 1]].item() for i in range(len(ids) - 1))
            out[-1].append((total / len(ids), False))
    return out


def nli(drop):
    words = ("矛盾", "蕴含", "无关")
    label = {"contradiction": 0, "entailment": 1, "neutral": 2, "-": -1}
    rows = [r for r in NLI if not (drop and r["label"] == "-")]
    return [[["", f"语句一：“{r['sentence1']}”\n语句二：“{r['sentence2']}”\n请问这两句话是什么关系？\n{w}"] for w in words] for r in rows], [label[r["label"]] for r in rows]


def c3():
    items, golds = [], []
    for text, questions, _ in C3:
        for q in questions:
            items.append([["", f"文章：{' '.join(text)}\n问题：{q['question']}\n答案：{c}"] for c in q["choice"]])
            golds.append(q["choice"].index(q["answer"]))
    return items, golds


def chid():
    return [[["", f"以下句子是否通顺？\n{r['content'].replace('#idiom#', c)}\n这个句子是通顺的。"] for c in r["candidates"]] for r in CHID], [r["answer"] for r in CHID]


def cluewsc():
    return [[["", f"{r['text']}\n此处，代词“{r['target']['span2_text']}“被用于指代“{r['target']['span1_text']}“吗?\n{w}"] for w in ("否", "是")] for r in CLUEWSC], [1]


# ---- all of it --------------------------------------------------------------------------------------------


def hf(rows, stem):
    return [{"id": r["id"], stem: r["stem"], "choices": {"text": r["texts"], "label": r["labels"]}, "answerKey": r["key"]} for r in rows]


def keyed(rows):
    return [r["labels"].index(r["key"].strip()) for r in rows]


def mmlu_like(name, test, dev, shots):
    items, golds = [], []
    for subject in sorted(test):
        if name == "mmlu":
            template = "mmlu/default/mmlu_anatomy.yaml"
            rows = [[{"question": r[0], "choices": r[1:5], "answer": "ABCD".find(r[5]) if r[5] in "ABCD" else int(r[5])} for r in d[subject]] for d in (test, dev)]
            words = subject.replace("_", " ")
        else:
            template = glob.glob(f"{YAML}/cmmlu/cmmlu_anatomy.yaml")[0][len(YAML) + 1:]
            rows = [[dict(zip(("Question", "A", "B", "C", "D", "Answer"), r)) for r in d[subject]] for d in (test, dev)]
            words = "anatomy"
        asked = harness_requests(template, rows[0], rows[1], shots)
        items += [[[c.replace("about anatomy", f"about {words}"), a] for c, a in item] for item in asked]
        golds += ["ABCD".index(r["Answer"]) if "Answer" in r else r["answer"] for r in rows[0]]
    return items, golds


def cases():
    """(task, file, shots, items, golds, scores)"""
    label = {"true": 1, "false": 0, True: 1, False: 0}
    h, p = harness_scores, ppl_scores
    yield "hellaswag", "hellaswag.jsonl", 0, harness_requests("hellaswag/hellaswag.yaml", [dict(r, label=str(r["label"])) for r in HELLASWAG]), [2, 0, 3], h
    yield "piqa", "piqa.jsonl", 0, harness_requests("piqa/piqa.yaml", [dict(r, label=l) for r, l in zip(PIQA, PIQA_LABELS)]), PIQA_LABELS, h
    yield "arc_easy", "arc.jsonl", 0, harness_requests("arc/arc_easy.yaml", hf(ARC, "question")), keyed(ARC), h
    yield "arc_challenge", "arc.jsonl", 0, harness_requests("arc/arc_challenge.yaml", hf(ARC, "question")), keyed(ARC), h
    yield "openbookqa", "openbookqa.jsonl", 0, harness_requests("openbookqa/openbookqa.yaml", hf(OBQA, "question_stem")), keyed(OBQA), h
    yield "commonsense_qa", "commonsense_qa.jsonl", 0, harness_requests("commonsense_qa/default.yaml", CSQA), [0, 4], h
    yield "winogrande", "winogrande.jsonl", 0, harness_requests("winogrande/default.yaml", WINOGRANDE), [0, 1, 1], h
    yield "wsc273", "wsc273.jsonl", 0, harness_requests("wsc273/default.yaml", WSC273), [r["label"] for r in WSC273], h
    boolq = harness_requests("super_glue/boolq/default.yaml", [dict(r, label=label[r["label"]]) for r in BOOLQ])
    yield "boolq", "boolq.jsonl", 0, boolq, [0, 1], h
    yield "boolq", "boolq_google.jsonl", 0, boolq, [0, 1], h
    yield "wsc", "wsc.jsonl", 0, harness_requests("super_glue/wsc/default.yaml", [dict(text=r["text"], label=label[r["label"]], **r["target"]) for r in WSC]), [1, 0], h
    race = harness_requests("race/race.yaml", [{"article": a["article"], "problems": repr(a["problems"])} for a in race_articles()])
    yield "race", "race.jsonl", 0, race, [1, 0], h
    yield "race", "race", 0, race, [1, 0], h
    yield "lambada_openai", "lambada_openai.json", 0, harness_requests("lambada/lambada_openai.yaml", LAMBADA), [0, 0, 0], h
    for shots in (0, 2):
        yield ("mmlu", "mmlu", shots) + mmlu_like("mmlu", MMLU, MMLU_DEV, shots) + (h,)
    for shots in (0, 1):
        yield ("cmmlu", "cmmlu", shots) + mmlu_like("cmmlu", CMMLU, CMMLU_DEV, shots) + (h,)
    yield ("c3", "c3.json", 0) + c3() + (p,)
    yield ("chid", "chid.json", 0) + chid() + (p,)
    yield ("cmnli", "nli.json", 0) + nli(True) + (p,)
    yield ("ocnli", "nli.json", 0) + nli(False) + (p,)
    yield ("cluewsc", "cluewsc.json", 0) + cluewsc() + (p,)
    yield "generic", "generic.jsonl", 0, [[[r["context"], r.get("delimiter", " ") + c] for c in r["choices"]] for r in GENERIC], [r["answer"] for r in GENERIC], h
    yield "race", "race_hf.jsonl", 0, race, [1, 0], h


def main():
    torch.manual_seed(0)
    write_all()
    models = [(name, bos, HFLM(pretrained=os.path.join(HERE, name), dtype="float32", device="cpu", batch_size=1, add_bos_token=bos)) for name, bos in MODELS]
    out = []
    for i, (task, file, shots, items, golds, score) in enumerate(cases()):
        for name, bos, lm in models[i % 2::2]: # each task with and without BOS, by one model each
            if bos and lm.tok_encode("x")[0] != lm.prefix_token_id:
                lm_encode = lm.tok_encode # a tokenizer without a post-processor that adds it

                def with_bos(text, add_special_tokens=None, **kw):
                    ids = lm_encode(text, add_special_tokens=False, **kw)
                    return ids if add_special_tokens is False or ids[:1] == [lm.prefix_token_id] else [lm.prefix_token_id] + ids
                lm.tok_encode = with_bos
            scores = score(lm, items)
            out.append({"task": task, "file": "tasks/" + file, "shots": shots, "model": name, "bos": "always" if bos else "never", "items": [
                {"gold": g, "requests": item, "lls": [float(s[0]) for s in s_item], "greedy": [bool(s[1]) for s in s_item]}
                for g, item, s_item in zip(golds, items, scores)]})
    with open(os.path.join(HERE, "tasks.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, ensure_ascii=False, indent=0)
        f.write("\n")


main()
