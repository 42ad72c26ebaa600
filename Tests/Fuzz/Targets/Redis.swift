import NIOCore

@testable import Redis

/// Replies of a server: they are the same in any cut, and no more is kept than the bounds allow.
func checkReplies(_ input: UnsafeRawBufferPointer) throws {
    let whole = Replies(input) { piece in try piece(input) }
    let bytewise = Replies(input) { piece in
        for index in input.indices { try piece(UnsafeRawBufferPointer(rebasing: input[index..<index + 1])) }
    }
    let cut = Replies(input) { piece in try input.cut(upTo: 7, seed: input.first ?? 0, piece) }
    try require(whole == bytewise && whole == cut, "\(whole), \(bytewise), \(cut)")
}

private struct Replies: Equatable {
    var replies: [Reply] = []
    var error: ReplyParser.Malformed?

    init(_ input: UnsafeRawBufferPointer, _ pieces: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) {
        var parser = ReplyParser(), replies: [Reply] = []
        do {
            try pieces { piece in
                parser.append(ByteBuffer(bytes: piece))
                while let reply = try parser.next() { replies.append(reply) }
            }
        } catch {
            self.error = error as? ReplyParser.Malformed
        }
        self.replies = replies
    }
}
