package import CortexSpec

/// Looks at every place that APIs take models from, before a deploy is accepted.
package struct ModelCheck: Sendable {
    /// The most objects of one model, and of a folder of models.
    package static let modelLimit = 100_000
    package static let directoryLimit = 1_000_000

    private let storage: any ObjectStorage

    package init(storage: any ObjectStorage) {
        self.storage = storage
    }

    /// What is wrong with the models of an API, and what is worth a warning; in the order of its paths.
    package func problems(of request: ModelRequest) async -> [FieldProblem] {
        await self.problems(of: [request]).first ?? []
    }

    /// The same for several APIs at once: a place that they share is listed once.
    package func problems(of requests: [ModelRequest]) async -> [[FieldProblem]] {
        let listings = await self.listings(of: Set(requests.flatMap { $0.sources.map(Place.init) }))
        return requests.map { request in
            request.problems
                + request.sources.flatMap { name, source in
                    listings[Place((name, source))].map { request.findings(of: name, source, in: $0) } ?? []
                }
        }
    }

    /// A place to list, with its bound.
    struct Place: Hashable, Sendable {
        var location: ModelLocation
        var limit: Int

        init(_ source: (name: String?, source: ModelSource)) {
            self.location = source.source.location
            self.limit = source.name == nil ? ModelCheck.directoryLimit : ModelCheck.modelLimit
        }
    }

    typealias Listing = Result<[StoredObject], StorageError>

    /// Lists the places, eight at a time.
    private func listings(of places: Set<Place>) async -> [Place: Listing] {
        var waiting = Array(places)
        return await withTaskGroup(of: (Place, Listing).self) { group in
            var listings: [Place: Listing] = [:]
            for _ in 0..<8 {
                guard let place = waiting.popLast() else { break }
                group.addTask { await self.list(place) }
            }
            for await (place, listing) in group {
                listings[place] = listing
                if let next = waiting.popLast() { group.addTask { await self.list(next) } }
            }
            return listings
        }
    }

    private func list(_ place: Place) async -> (Place, Listing) {
        do throws(StorageError) {
            return (place, .success(try await self.storage.list(place.location, limit: place.limit)))
        } catch {
            return (place, .failure(error))
        }
    }
}
