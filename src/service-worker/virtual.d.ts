/** Made by the plugin in vite.config.ts. */
declare module 'virtual:worker-files' {
  const paths: string[];
  export default paths;
}
