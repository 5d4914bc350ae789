/** The README of an archive of evidence: how each part is checked without this program. */

export const readmeOf = (run: string, files: readonly string[], signed: boolean): string =>
  `# Evidence of run ${run}

\`xcrepl evidence verify\` checks everything below at once, offline. So does \`check.py\`, with nothing but Python's own
library and openssl; read it before you run it, and give it the exporter's public key as you know it from elsewhere:

    python3 check.py${signed ? ' keys/exporter.pub' : ''}

Or by hand:

## Nothing was changed

    sha256sum --check SHA256SUMS
${
  signed
    ? `
The checksums are signed (ECDSA P-256, SHA-256; a sigstore bundle). Take the exporter's public key from whoever you got
it from before, not from this archive:

    cosign verify-blob SHA256SUMS --bundle SHA256SUMS.sigstore.json --key keys/exporter.pub --insecure-ignore-tlog --private-infrastructure

or with openssl:

    jq -r .messageSignature.signature SHA256SUMS.sigstore.json | base64 -d > sums.sig
    openssl dgst -sha256 -verify keys/exporter.pub -signature sums.sig SHA256SUMS
`
    : `
The checksums are not signed: nothing here says who exported it.
`
}
## The plan

\`plan.json\` carries its own digest: sha256 over the canonical JSON (RFC 8785) of everything in it but \`digest\`
(\`canonical\` in check.py).
${
  files.some((name) => name.startsWith('approvals/'))
    ? `
## Approvals

Each file of \`approvals/\` is a sigstore bundle around a DSSE envelope with an in-toto statement, whose subject's sha256 is
the plan's digest. What is signed is \`DSSEv1 LENGTH TYPE LENGTH PAYLOAD\` (the envelope's pre-authentication encoding):

    for file in approvals/*; do jq -r .dsseEnvelope.payload "$file" | base64 -d | jq .; done
`
    : ''
}
## The audit log

Each \`audit/N.tlog-proof\` (C2SP tlog-proof) proves by RFC 6962 that entry N, which it carries, is in the log whose signed
checkpoint (C2SP tlog-checkpoint, signed-note) stands in it; \`audit/log-key.pub\` is the log's key. The entry
\`replication.run-begin\` names the plan's digest, and \`replication.run-end\` the sha256 of the report and of the journal as
canonical JSON. The same checkpoints are anchored in the regions' databases (\`xcrepl.audit_anchors\`) and object stores
(\`xcrepl/audit/…\`), which is what keeps the log's holder from showing you another one.

## What is not proved by this archive

That the log has no other version elsewhere (compare the anchors), and that the clocks were right.
`;
