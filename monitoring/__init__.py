"""What watches Paddock: dashboards and an exporter in Python, and files for Prometheus and Grafana."""
