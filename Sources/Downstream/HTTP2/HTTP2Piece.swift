/// What a stream has for its next frame.
enum HTTP2Piece: Equatable {
    /// Nothing now; ``HTTP2Session/resume(_:)`` follows.
    case none
    case bytes(Int)
    /// The response ends with these, which may be none.
    case last(Int)
    /// Trailers follow these, which may be none.
    case lastBeforeTrailers(Int)
    /// The response breaks off here.
    case broken
}
