"""What the three parts share: running the tool, running all cases, counting."""
import concurrent.futures
import subprocess

REFUSED = 3  # the tool's exit status


class Failed(Exception):
    pass


def prune(shortgpt, model, removed, out, expected_refusal):
    """Runs the tool; True: it refused, as it must."""
    subprocess.run(["rm", "-rf", out], check=True)
    layers = ",".join(map(str, removed))
    done = subprocess.run([shortgpt, "prune", model, "--layers", layers, "-o", out], capture_output=True, text=True)
    said = (done.stderr or done.stdout).strip()
    if expected_refusal is None:
        if done.returncode:
            raise Failed(f"exit status {done.returncode}: {said}")
        return False
    if done.returncode != REFUSED or expected_refusal not in said:
        raise Failed(f"should be refused ({expected_refusal}); exit status {done.returncode}: {said}")
    if out.exists():
        raise Failed("refused, but the output is there")
    return True


def run_all(parser, run, args, known, jobs):
    """run(args, name) for the names asked for, else all known; it returns (passed, line) for each case. The exit status."""
    unknown = [name for name in args.names if name not in known]
    if unknown:
        parser.error(f"no model {', '.join(unknown)}; known: {', '.join(known)}")
    names = args.names or list(known)
    n = failed = 0
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        for lines in pool.map(run, [args] * len(names), names):
            for passed, line in lines:
                print(line, flush=True)
                n += 1
                failed += not passed
    print(f"{n} cases, {failed} failed")
    return 1 if failed else 0
