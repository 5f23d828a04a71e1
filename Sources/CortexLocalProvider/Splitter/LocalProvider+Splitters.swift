package import CortexControlPlane
import CortexSpec

extension LocalProvider {
    package func apply(_ deployment: SplitterDeployment, fallback: SplitterDeployment?) async {
        await self.splitter(deployment.spec.name).apply(deployment, fallback: fallback)
    }

    /// Something has happened to an API: splitters that wait for it may go on.
    func reconsiderSplitters() async {
        for splitter in self.splitters.values { await splitter.reconsider() }
    }

    func observeAPI(_ name: APIName) async -> APIObservation? { await self.apis[name]?.observation() }
}
