/** Version of the app, from package.json (vite.config.ts). */
declare const __APP_VERSION__: string;
