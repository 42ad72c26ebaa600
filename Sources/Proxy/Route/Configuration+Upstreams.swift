import Downstream
package import Settings
import Upstream

// What the configuration says of upstreams and only this machine can tell to be right: it is told at the place where it
// is said.

extension Configuration {
    /// Checks what the routes want of libcurl, and reads the files of authorities that they name; blocks on the disk.
    ///
    /// libcurl reads those again for each connection, and could tell nobody but the clients that one is missing.
    ///
    /// - Parameter file: The configuration's own name, with which errors begin.
    /// - Throws: Everything that is wrong with them.
    package func checkUpstreams(namedIn file: String) throws(ConfigurationErrors) {
        var errors: [ConfigurationError] = []
        for route in routes {
            if let place = route.upstreamHTTP2, !LibcurlVersion.isFitForHTTP2 {
                let message =
                    "`routes.upstream_http2` needs libcurl 8.19 or newer, with HTTP/2; this is \(LibcurlVersion.name)"
                errors.append(
                    ConfigurationError(file: file, line: place.line, column: place.column, message: message))
            }
            guard let authority = route.upstreamTLS.authority else { continue }
            do throws(TLSFault) {
                try ServerTLS.checkAuthorities(at: authority.path)
            } catch {
                let message = "`upstream_tls.ca_file` is \(authority.written): \(error.words)"
                errors.append(
                    ConfigurationError(file: file, line: authority.line, column: authority.column, message: message))
            }
        }
        if !errors.isEmpty { throw ConfigurationErrors(errors) }
    }
}
