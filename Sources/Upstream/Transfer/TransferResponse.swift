import NIOHTTP1

/// The state of a transfer's response: its head, its body, and what of it libcurl holds.
struct TransferResponse {
    var parser: ResponseHeadParser
    var body = ResponseBody.awaited
    var chunks = ChunkedDecoder()
    /// Whether libcurl holds bytes that were not taken, and reads no more until it is resumed.
    var isHeld = false
    /// How many bytes of those were taken before the pause.
    var takenBeforePause = 0
    /// Why the response is not passed on.
    var failure: UpstreamError?

    init(takesHTTP2: Bool) { parser = ResponseHeadParser(takesHTTP2: takesHTTP2) }
}
