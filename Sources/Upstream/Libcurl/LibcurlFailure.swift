import CCurl

/// What libcurl reports of a failed transfer besides its result; read before the handle is used again.
struct LibcurlFailure {
    /// `nil` if there is none.
    let text: String?
    /// The errno of the last connection that failed; 0 if there is none.
    let systemError: CInt

    init(of easy: EasyHandle) {
        text = easy.errorText
        var code = 0
        let result = weir_easy_get_long(easy.pointer, CURLINFO_OS_ERRNO, &code)
        systemError = result == CURLE_OK ? CInt(clamping: code) : 0
    }
}
