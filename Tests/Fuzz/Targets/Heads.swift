import NIOHTTP1

@testable import Upstream

/// Lines as libcurl hands them over: what is taken can be passed on, and has one length.
func checkHeads(_ input: UnsafeRawBufferPointer) throws {
    var parser = ResponseHeadParser(), rest = input, heads = 0
    while !rest.isEmpty {
        let end = rest.firstIndex(of: 0x0A).map { $0 + 1 } ?? rest.count
        guard let step = try? parser.line(UnsafeRawBufferPointer(rebasing: rest.prefix(end))) else { return }
        rest = rest.from(end)
        if case .interim(let head) = step {
            try require((100...199).contains(head.status), "status \(head.status)")
            try require(heads == 0, "an informational head after the final one")
            try checkFields(head.headers)
        }
        guard case .head(let head) = step else { continue }
        heads += 1
        try require(heads == 1, "two final heads")
        try require((200...599).contains(head.status), "status \(head.status)")
        try require(!(head.isChunked && head.contentLength != nil), "two lengths")
        let lengths = head.headers["content-length"]
        try require(
            lengths == (head.contentLength.map { [String($0)] } ?? []), "\(lengths) beside \(head.contentLength ?? -1)")
        try checkFields(head.headers)
    }
    try checkFields(parser.trailers)
}

private func checkFields(_ fields: HTTPHeaders) throws {
    for (name, value) in fields {
        try require(!name.isEmpty && name.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x3A }, "name \(name)")
        try require(!value.utf8.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }, "value \(value.debugDescription)")
    }
}
