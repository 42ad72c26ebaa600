import CCurl
import Foundation

/// A client of an admin listener, with one connection that it keeps.
///
/// Blocks; for one thread.
struct AdminClient: ~Copyable {
    private let easy: UnsafeMutableRawPointer
    private let address: AdminAddress
    /// libcurl's own error message, which contains the address.
    private let message = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// For one response, in milliseconds: the listener itself gives up after two seconds.
    private static let timeout = 5000
    /// Of a response, in bytes; a thousand routes need less than one MiB.
    private static let longest = 32 << 20

    init(address: AdminAddress) throws(AdminError) {
        guard let easy = curl_easy_init() else { throw AdminError(reason: "libcurl could not be set up") }
        self.easy = easy
        self.address = address
        message.initialize(repeating: 0)
    }

    deinit {
        curl_easy_cleanup(easy)
        message.deallocate()
    }

    /// Sends a GET request.
    ///
    /// - Parameters:
    ///   - path: The requested path.
    ///   - token: The listener's `admin_token`, if it has one.
    /// - Returns: The body of the response.
    /// - Throws: The reason for a missing response; also for every status but 200.
    func get(_ path: String, token: String? = nil) throws(AdminError) -> [UInt8] {
        guard let body = try send("GET", path, token: token) else { throw refused(404, []) }
        return body
    }

    /// Sends a request without a body.
    ///
    /// - Parameters:
    ///   - method: Of the request.
    ///   - path: As for ``get(_:token:)``.
    ///   - token: As for ``get(_:token:)``.
    /// - Returns: The body of the response; `nil` for 404.
    /// - Throws: The reason for a missing response; also for every other status but 200.
    func send(_ method: String, _ path: String, token: String?) throws(AdminError) -> [UInt8]? {
        let answer = Answer(longest: Self.longest)
        var headers = curl_slist_append(nil, "Accept: application/json")
        if let token { headers = curl_slist_append(headers, "Authorization: Bearer \(token)") }
        defer { curl_slist_free_all(headers) }
        message[0] = 0
        try set(method: method, path: path, headers: headers, answer: answer)
        let code = withExtendedLifetime(answer) { curl_easy_perform(easy) }
        guard code == CURLE_OK else { throw AdminError(reason: "no answer from \(address.text): \(words(for: code))") }
        var status = 0
        weir_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        guard status != 404 else { return nil }
        guard status == 200 else { throw refused(status, answer.bytes) }
        return answer.bytes
    }

    private func set(
        method: String, path: String, headers: UnsafeMutablePointer<curl_slist>?, answer: Answer
    ) throws(AdminError) {
        let codes = [
            weir_easy_set_string(easy, CURLOPT_URL, address.url(of: path)),
            weir_easy_set_string(easy, CURLOPT_CUSTOMREQUEST, method),
            weir_easy_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            // Proxies of the environment are not meant for this request.
            weir_easy_set_string(easy, CURLOPT_NOPROXY, "*"),
            weir_easy_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, address.unixPath),
            weir_easy_set_long(easy, CURLOPT_TIMEOUT_MS, Self.timeout),
            weir_easy_set_long(easy, CURLOPT_NOSIGNAL, 1),
            weir_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, message.baseAddress),
            weir_easy_set_headers(easy, headers),
            weir_easy_set_write(easy, Answer.write),
            weir_easy_set_pointer(easy, CURLOPT_WRITEDATA, Unmanaged.passUnretained(answer).toOpaque()),
        ]
        if let code = codes.first(where: { $0 != CURLE_OK }) { throw AdminError(reason: words(for: code)) }
    }

    private func words(for code: CURLcode) -> String {
        let own = message.withMemoryRebound(to: UInt8.self) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return own.isEmpty ? String(cString: curl_easy_strerror(code)) : own
    }

    private func refused(_ status: Int, _ body: [UInt8]) -> AdminError {
        struct Problem: Decodable { var title: String }
        if status == 401 {
            return AdminError(reason: "\(address.text) requires its admin_token: use --token-file or WEIR_ADMIN_TOKEN")
        }
        let title = (try? JSONDecoder().decode(Problem.self, from: Data(body)))?.title
        return AdminError(
            reason: "\(address.text) responds with \(status)" + (title.map { ": \($0)" } ?? ", unlike weir"))
    }
}

/// The body of a response, collected from libcurl.
private final class Answer {
    private(set) var bytes: [UInt8] = []
    private let longest: Int

    init(longest: Int) { self.longest = longest }

    /// CURLOPT_WRITEFUNCTION: a return value other than the given length ends the transfer.
    static let write: curl_write_callback = { bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let answer = Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue(), length = size * count
        guard answer.bytes.count + length <= answer.longest else { return 0 }
        answer.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: length))
        return length
    }
}
