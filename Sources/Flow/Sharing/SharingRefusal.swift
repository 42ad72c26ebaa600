/// Why a request on a shared route is served by an upstream request of its own.
///
/// The raw values are labels of metrics and the `detail` of `Cache-Status`.
package enum SharingRefusal: String, Error, CaseIterable, Sendable {
    // Of the request.
    case method, content, authorization, cookie, range
    // Of the response.
    case status
    case notAStream = "not-a-stream"
    case setCookie = "set-cookie"
    case vary
    case cacheControl = "cache-control"
    /// The last response for this key was not shareable.
    case refusedBefore = "refused-before"
    // Limits.
    case tooManyReaders = "too-many-readers"
    case tooManyPulls = "too-many-pulls"

    /// Whether the request alone rules sharing out, so that it was not tried.
    package var isOfRequest: Bool {
        switch self {
        case .method, .content, .authorization, .cookie, .range: true
        case .status, .notAStream, .setCookie, .vary, .cacheControl, .refusedBefore, .tooManyReaders, .tooManyPulls:
            false
        }
    }
}
