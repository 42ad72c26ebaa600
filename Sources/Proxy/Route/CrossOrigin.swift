import Downstream
import Flow
import NIOHTTP1
import Settings

// Pages of other origins: which fields responses get, and what a preflight is.

extension ServedConfiguration {
    /// The fields of weir's own responses to a request.
    ///
    /// - Parameters:
    ///   - request: The request, whose `Origin` decides.
    ///   - route: The route that it matches; `nil` for weir's own addresses, and if there is none.
    /// - Returns: The fields; `nil` if no route is for pages of other origins.
    func crossOriginFields(for request: Request, on route: ProxyRoute?) -> HTTPHeaders? {
        guard let crossOrigin else { return nil }
        let policy: CrossOriginPolicy? = if let route { route.settings.cors } else { crossOrigin }
        return policy.map { HTTPHeaders($0.fields(for: request.head.headers.first(name: "origin"))) }
    }

    /// The response to a preflight; `nil` if the request is none, or is for the upstream to answer.
    func preflight(of request: Request) throws(Problem) -> OwnAnswer? {
        guard let crossOrigin, request.head.method == .OPTIONS,
            let origin = request.head.headers.first(name: "origin"),
            let method = request.head.headers.first(name: "access-control-request-method")
        else { return nil }
        let isOwn = health.owns(request.path) || streamsAddress?.target(of: request.path) != nil
        var policy: CrossOriginPolicy? = crossOrigin
        if !isOwn { policy = try route(of: request, path: request.path, method: method).settings.cors }
        guard let policy else { return nil }
        var answer = OwnAnswer(.noContent, isStorable: true)
        answer.headers.add(contentsOf: HTTPHeaders(policy.preflight(for: origin, method: method)))
        return answer
    }
}
