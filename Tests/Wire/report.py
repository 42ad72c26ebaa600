"""A failure in words: the case, its bytes, and what each hop saw."""


LONGEST = 2000  # characters of a finding


def describe(failure):
    case = failure.case
    lines = [f"FAILED {case.kind} case {case.name}: mutations {case.mutations}" + ("" if failure.reproduced else " (not when run alone)")]
    if case.reason:
        lines.append(f"  {case.verdict}: {case.reason}")
    lines += [f"  finding: {origin}: {finding.text[:LONGEST]}" for origin, finding in unique(failure.findings)]
    lines += [f"  sends: {piece!r}" if piece else "  waits for an answer" for piece in case.pieces]
    for stream in case.streams:
        lines.append(f"  stream: {stream.fields} data {stream.data} trailers {stream.trailers} ends {stream.ends}")
    if case.script:
        lines.append(f"  origin: {case.script}")
    for origin, visit in failure.visits[:2]:
        lines.append(f"  {origin}{', the probe' if visit.is_probe else ''}:")
        lines += [f"    RFC:    {expected}" for expected in visit.expected]
        lines += [f"    weir:   {line.get('method')} {line.get('path')} {line.get('status')} {line['reason']} {line.get('upstream', '(not forwarded)')}"
                  for line in visit.lines]
        lines += [f"    {name}: {record}" for name, record in visit.records]
        lines += [f"    client: {response.status} seen {response.seen or '-'} {response.body[:150]!r} complete {response.complete} reset {response.reset}"
                  for response in visit.exchange.responses]
    return "\n".join(lines)


def brief(failure):
    """One line."""
    case, (origin, finding) = failure.case, next(iter(failure.findings))
    return f"{case.kind} {case.name} {case.mutations}: {len({name for name, _ in failure.findings})} origins, {origin}: {finding.text}"


def unique(findings):
    kept = {}
    for origin, finding in findings:
        kept.setdefault((origin, finding.text[:60]), (origin, finding))
    return kept.values()
