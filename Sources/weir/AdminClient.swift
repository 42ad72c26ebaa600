import ArgumentParser
import CCurl
import Foundation

/// Where an admin listener is: `127.0.0.1:9090`, `http://host:port`, `https://…`, or `unix:` and a path.
struct AdminAddress: ExpressibleByArgument, Sendable {
    let text: String

    /// Where `admin:` is by default.
    static let usual = AdminAddress(text: "127.0.0.1:9090")

    private init(text: String) { self.text = text }

    init?(argument: String) {
        guard !argument.isEmpty, argument != "unix:" else { return nil }
        self.init(text: argument)
    }

    var defaultValueDescription: String { text }

    var unixPath: String? { text.hasPrefix("unix:") ? String(text.dropFirst("unix:".count)) : nil }

    func url(of path: String) -> String {
        if unixPath != nil { return "http://localhost" + path }
        let base = text.contains("://") ? text : "http://" + text
        return (base.hasSuffix("/") ? String(base.dropLast()) : base) + path
    }
}

/// Why there is no answer, as a sentence for the operator.
struct AdminError: Error {
    let reason: String
}

/// Asks an admin listener, over a connection that it keeps.
///
/// Blocks; for one thread.
struct AdminClient: ~Copyable {
    private let easy: UnsafeMutableRawPointer
    private let address: AdminAddress
    /// Room for libcurl's own words on what failed, which name the address.
    private let message = UnsafeMutableBufferPointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    /// For one answer, in milliseconds: the listener itself gives up after two seconds.
    private static let timeout = 5000
    /// Of an answer, in bytes; a thousand routes come to less than one MiB.
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

    /// - Parameters:
    ///   - path: What is asked for.
    ///   - token: What the listener's `admin_token` is, if it has one.
    /// - Returns: The body of the answer.
    /// - Throws: Why there is none, in words; also for every status but 200.
    func get(_ path: String, token: String? = nil) throws(AdminError) -> [UInt8] {
        let answer = Answer(longest: Self.longest)
        var headers = curl_slist_append(nil, "Accept: application/json")
        if let token { headers = curl_slist_append(headers, "Authorization: Bearer \(token)") }
        defer { curl_slist_free_all(headers) }
        message[0] = 0
        try set(path: path, headers: headers, answer: answer)
        let code = withExtendedLifetime(answer) { curl_easy_perform(easy) }
        guard code == CURLE_OK else { throw AdminError(reason: "no answer from \(address.text): \(words(for: code))") }
        var status = 0
        weir_easy_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
        guard status == 200 else { throw Self.refused(status, answer.bytes, by: address) }
        return answer.bytes
    }

    private func set(
        path: String, headers: UnsafeMutablePointer<curl_slist>?, answer: Answer
    ) throws(AdminError) {
        let codes = [
            weir_easy_set_string(easy, CURLOPT_URL, address.url(of: path)),
            weir_easy_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            // What the environment names as a proxy is not meant for this.
            weir_easy_set_string(easy, CURLOPT_NOPROXY, "*"),
            weir_easy_set_string(easy, CURLOPT_UNIX_SOCKET_PATH, address.unixPath),
            weir_easy_set_long(easy, CURLOPT_TIMEOUT_MS, Self.timeout),
            weir_easy_set_long(easy, CURLOPT_NOSIGNAL, 1),
            weir_easy_set_pointer(easy, CURLOPT_ERRORBUFFER, message.baseAddress),
            weir_easy_set_headers(easy, headers),
            weir_easy_set_write(easy, Answer.write, Unmanaged.passUnretained(answer).toOpaque()),
        ]
        if let code = codes.first(where: { $0 != CURLE_OK }) { throw AdminError(reason: words(for: code)) }
    }

    private func words(for code: CURLcode) -> String {
        let own = message.withMemoryRebound(to: UInt8.self) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        return own.isEmpty ? String(cString: curl_easy_strerror(code)) : own
    }

    private static func refused(_ status: Int, _ body: [UInt8], by address: AdminAddress) -> AdminError {
        struct Problem: Decodable { var title: String }
        if status == 401 {
            return AdminError(reason: "\(address.text) wants its admin_token: --token-file, or WEIR_ADMIN_TOKEN")
        }
        let title = (try? JSONDecoder().decode(Problem.self, from: Data(body)))?.title
        return AdminError(
            reason: "\(address.text) answers \(status)" + (title.map { ": \($0)" } ?? ", not as weir does"))
    }
}

/// The body of an answer as libcurl hands it over.
private final class Answer {
    private(set) var bytes: [UInt8] = []
    private let longest: Int

    init(longest: Int) { self.longest = longest }

    /// CURLOPT_WRITEFUNCTION: any other count than it was given ends the transfer.
    static let write: curl_write_callback = { bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let answer = Unmanaged<Answer>.fromOpaque(context).takeUnretainedValue(), length = size * count
        guard answer.bytes.count + length <= answer.longest else { return 0 }
        answer.bytes.append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: length))
        return length
    }
}
