import CCurl
import Flow
import Glibc
import NIOHTTP1

/// An easy handle of libcurl, and the memory that its options point into.
///
/// One ``Transfer`` uses it at a time. The next one finds it as a new one would be, or, if both are a GET without a body to
/// one origin, with the options of the one before, all of which it needs: libcurl itself begins each transfer with the state
/// of the request cleared (`Curl_pretransfer` in lib/transfer.c). A reset costs 5,400 instructions with the options that are
/// set again, and a new handle 11,600 (docs/ARCHITECTURE.md).
final class EasyHandle {
    /// What its options are set for.
    private enum Options: Equatable {
        /// They have libcurl's defaults.
        case none
        /// A GET without a body, to ``origin``.
        case get(readSize: ByteCount)
        case other
    }

    let pointer: UnsafeMutableRawPointer
    private var options = Options.none
    /// Where libcurl writes the text of an error (CURLOPT_ERRORBUFFER).
    private let error = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    private var readsOnce = false
    private var connectsAnew = false
    /// The transfer that uses the handle; it owns the handle.
    var user: UnsafeMutableRawPointer?
    /// The header lines of the request; libcurl reads them while the transfer runs.
    var headers = HeaderList()
    /// The origin that the following three were made from, in the forms that libcurl reads them in.
    var origin: Origin?
    var url: OpaquePointer?
    var target: UnsafeMutablePointer<curl_slist>?
    var connectMilliseconds = 0

    /// - Parameter names: The cache of resolved names; `curl_easy_reset` leaves it in place.
    /// - Throws: If libcurl has no memory for a handle.
    init(sharing names: UnsafeMutableRawPointer?) throws {
        guard let pointer = curl_easy_init() else { throw SystemError(call: "curl_easy_init", code: ENOMEM) }
        self.pointer = pointer
        error.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        weir_easy_set_pointer(pointer, CURLOPT_SHARE, names)
    }

    deinit {
        curl_easy_cleanup(pointer)
        error.deallocate()
        curl_url_cleanup(url)
        curl_slist_free_all(target)
    }

    /// Begins a transfer.
    ///
    /// - Returns: Whether its options are still to be set; if not, all but those that differ between two such requests are.
    func begin(_ request: UpstreamRequest, at origin: Origin) -> Bool {
        error.pointee = 0
        let isGet = if case .GET = request.method { request.body == nil } else { false }
        let needed = isGet ? Options.get(readSize: request.readSize) : .other
        if isGet, options == needed, origin === self.origin {
            // The one before has sent its request, after which it wanted no other connection.
            connectAnew(false)
            return false
        }
        if options != .none { reset() }
        options = needed
        weir_easy_set_pointer(pointer, CURLOPT_ERRORBUFFER, error)
        return true
    }

    /// The text of the transfer's error; `nil` if libcurl has written none.
    var errorText: String? { error.pointee == 0 ? nil : String(cString: error) }

    /// The transfer is over, and the handle is out of its multi handle: it frees what the next one does not need.
    func end() {
        user = nil
        headers.removeAll()
        if options == .other { reset() }
    }

    /// Takes back every option, and what libcurl holds for the request.
    private func reset() {
        curl_easy_reset(pointer)
        options = .none
        (readsOnce, connectsAnew) = (false, false)
    }

    func set(_ option: CURLoption, _ value: Int) { weir_easy_set_long(pointer, option, value) }

    /// libcurl copies the value.
    ///
    /// Passed to C as it is, a `String` would be copied here as well.
    func set(_ option: CURLoption, _ value: String) {
        _ = value.withCString { weir_easy_set_string(pointer, option, $0) }
    }

    /// Whether the next attempt at the request uses a new connection.
    func connectAnew(_ isNeeded: Bool) {
        guard isNeeded != connectsAnew else { return }
        connectsAnew = isNeeded
        set(CURLOPT_FRESH_CONNECT, isNeeded ? 1 : 0)
    }

    /// Has libcurl read a ready socket only once, or until nothing is left in it, as it does by itself.
    ///
    /// It reads once where a limit is set on the speed (CURLOPT_MAX_RECV_SPEED_LARGE; `sendrecv_dl` in lib/transfer.c), here
    /// one that no transfer reaches. May be called inside the callback that gets what was read.
    func readOnce(_ isEnough: Bool) {
        guard isEnough != readsOnce else { return }
        readsOnce = isEnough
        weir_easy_set_offset(pointer, CURLOPT_MAX_RECV_SPEED_LARGE, isEnough ? 1 << 50 : 0)
    }

    /// Closes the connection after the transfer; libcurl reads the option when the transfer is done.
    func forbidReuse() {
        set(CURLOPT_FORBID_REUSE, 1)
        options = .other
    }
}
