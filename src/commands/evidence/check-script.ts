/**
 * check.py of an archive of evidence: what its README tells to do, without this program, in Python's own library and
 * openssl. Short enough to be read before it is run.
 */

export const CHECK_SCRIPT = String.raw`#!/usr/bin/env python3
"""Checks this archive: python3 check.py [EXPORTER.pub], with the exporter's public key as you know it from elsewhere."""
import base64, glob, hashlib, json, os, subprocess, sys, tempfile

class Number(str):
    """As it was written: RFC 8785 wants JavaScript's form, and that is what the files hold."""

def load(text):
    return json.loads(text, parse_int=Number, parse_float=Number)

def canonical(value):  # RFC 8785
    if isinstance(value, Number):
        return value
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(json.dumps(key, ensure_ascii=False) + ":" + canonical(value[key]) for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)

def digest(value):
    return "sha256:" + hashlib.sha256(canonical(value).encode()).hexdigest()

def read(name):
    with open(name, "rb") as file:
        return file.read()

def signed(key, data, signature):  # ECDSA P-256 over SHA-256
    with tempfile.NamedTemporaryFile() as what, tempfile.NamedTemporaryFile() as by:
        what.write(data), what.flush(), by.write(signature), by.flush()
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", key, "-signature", by.name, what.name],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return done.returncode == 0

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def included(index, size, leaf, path, root):  # RFC 9162, 2.1.3.2
    at, last, seen = index, size - 1, leaf
    for other in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            seen = sha256(b"\x01", other, seen)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            seen = sha256(b"\x01", seen, other)
        at, last = at >> 1, last >> 1
    return last == 0 and seen == root

wrong = 0

def claim(holds, what):
    global wrong
    wrong += not holds
    print("ok   " if holds else "WRONG", what)

own = {name for kind in ("*", "*/*") for name in glob.glob(kind) if os.path.isfile(name)}
listed = {line[66:]: line[:64] for line in read("SHA256SUMS").decode().splitlines()}
claim(own - {"SHA256SUMS", "SHA256SUMS.sigstore.json"} == set(listed), "the files are those that SHA256SUMS names")
claim(all(hashlib.sha256(read(name)).hexdigest() == sum for name, sum in listed.items() if name in own), "no file was changed")
if os.path.exists("SHA256SUMS.sigstore.json"):
    key = sys.argv[1] if len(sys.argv) > 1 else "keys/exporter.pub"
    signature = json.loads(read("SHA256SUMS.sigstore.json"))["messageSignature"]["signature"]
    claim(signed(key, read("SHA256SUMS"), base64.b64decode(signature)), "SHA256SUMS is signed by " + key)

plan = load(read("plan.json"))
said = plan.pop("digest")
claim(digest(plan) == said, "the plan has its digest")
approvals = []
for name in sorted(glob.glob("approvals/*")):
    envelope = json.loads(read(name))["dsseEnvelope"]
    kind, payload = envelope["payloadType"].encode(), base64.b64decode(envelope["payload"])
    what = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    by = [key for key in glob.glob("keys/*") if signed(key, what, base64.b64decode(envelope["signatures"][0]["sig"]))]
    about = "sha256:" + json.loads(payload)["subject"][0]["digest"]["sha256"]
    approvals.append((name, about))
    claim(by, name + " is signed by " + (", ".join(by) or "no known key"))

entries = []
for name in sorted(glob.glob("audit/*.tlog-proof")):
    head, _, note = read(name).decode().partition("\n\n")
    _, extra, index, *path = head.split("\n")
    entry = base64.b64decode(extra.split(" ")[1])
    text, _, by = note.rpartition("\n\n")
    _, size, root = text.split("\n")[:3]
    signature = base64.b64decode(by.strip().split(" ")[-1])[4:]
    holds = signed("audit/log-key.pub", (text + "\n").encode(), signature) and included(
        int(index.split(" ")[1]), int(size), sha256(b"\x00", entry), list(map(base64.b64decode, path)), base64.b64decode(root))
    claim(holds, name + " is in the log")
    entries.append(json.loads(entry))
for entry in entries:
    if entry["action"] == "replication.run-begin":
        claim(entry["facts"]["planDigest"] == said, "the log names this plan")
    if entry["action"] == "replication.run-end":
        claim(entry["after"] == digest(load(read("report.json"))), "the log names this report")
        lines = [load(line) for line in read("journal.ndjson").decode().splitlines() if line]
        claim(entry["facts"]["journal"] == digest(lines), "the log names this journal")
# What was left of a plan that was cut short has a digest of its own: the log names the one that was approved.
begun = [entry["facts"] for entry in entries if entry["action"] == "replication.run-begin"]
for name, about in approvals:
    claim(about in [said] + [facts.get("approvedDigest") for facts in begun], name + " approves the plan")
sys.exit(1 if wrong else 0)
`;
