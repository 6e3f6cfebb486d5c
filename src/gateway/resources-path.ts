/** Where the gateway tells what runs. It is in a file of its own so that a client need not load the server. */
export const RESOURCES_PATH = "/api/v1alpha1/resources";
