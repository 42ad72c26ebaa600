import CCurl
import Flow
import Glibc

/// An easy handle of libcurl, and the memory that its options point into.
///
/// One ``Transfer`` uses it at a time, and sets every option that differs from libcurl's default. Before another one may,
/// ``reset()`` takes all of them back, with the state of the request. That costs 5,400 instructions a request, and a new
/// handle 11,600 (docs/ARCHITECTURE.md).
final class EasyHandle {
    let pointer: UnsafeMutableRawPointer
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
        weir_easy_set_pointer(pointer, CURLOPT_SHARE, names)
    }

    deinit {
        curl_easy_cleanup(pointer)
        curl_url_cleanup(url)
        curl_slist_free_all(target)
    }

    /// Makes it equal to a new one; it must be out of its multi handle.
    func reset() {
        curl_easy_reset(pointer)
        headers.removeAll()
    }

    func set(_ option: CURLoption, _ value: Int) { weir_easy_set_long(pointer, option, value) }

    /// libcurl copies the value.
    ///
    /// Passed to C as it is, a `String` would be copied here as well.
    func set(_ option: CURLoption, _ value: String) {
        _ = value.withCString { weir_easy_set_string(pointer, option, $0) }
    }

    /// Closes the connection after the transfer; libcurl reads the option when the transfer is done.
    func forbidReuse() { set(CURLOPT_FORBID_REUSE, 1) }
}
