import Downstream
import Flow
import NIOHTTP1
import Observability

extension Shared {
    /// Responds with a problem instead of the requested response.
    ///
    /// - Parameters:
    ///   - problem: The reason.
    ///   - request: Its `Accept` selects the media type; `nil` if there is no valid request.
    ///   - response: Receives the response.
    /// - Returns: The bytes of the body.
    func answer(_ problem: Problem, to request: Request?, response: any ClientResponse) -> ByteCount {
        ownAnswer(problem, to: request).send(to: response, for: request, date: date.text(at: .now()))
    }

    /// The same response, not sent yet.
    func ownAnswer(_ problem: Problem, to request: Request?) -> OwnAnswer {
        OwnAnswer(refusing: request, with: problem, in: served.problemStyle)
    }
}
